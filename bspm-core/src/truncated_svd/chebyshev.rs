//! A polynomial of `P` that damps the unwanted part of the spectrum.

use crate::backend::{Backend, Update};
use crate::error::Result;
use crate::normalization::NormalizedGraph;
use crate::tiles::{concatenate_tiles, tile_ranges};

/// The Chebyshev polynomial of some degree, moved to `[0, cut]` and scaled to one
/// at 1, the largest eigenvalue of `P`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChebyshevFilter {
    cut: f64,
    degree: usize,
}

impl ChebyshevFilter {
    const MAX_DEGREE: usize = 16;

    /// How much more the filter may amplify the top of the spectrum than the cut.
    ///
    /// Rounding leaves a trace of the top vectors in every column, which the filter
    /// amplifies by this much. Above `1 / f32::EPSILON`, times the square root of
    /// the number of items that the rounding is spread over, it would drown the
    /// column. The random start has more than a trace, so the first rounds may
    /// amplify less.
    fn contrast_limit(round: usize) -> f64 {
        1e3_f64.powi(round as i32 + 1).min(1e10)
    }

    /// The filter for a block whose smallest Ritz value is `smallest_ritz_value`.
    pub(super) fn choose(smallest_ritz_value: f64, round: usize) -> Self {
        let cut = smallest_ritz_value.clamp(1e-4, 0.9);
        let growth = (2.0 / cut - 1.0).acosh();
        let degree = (2.0 * Self::contrast_limit(round)).ln() / growth;
        Self {
            cut,
            degree: (degree as usize).clamp(1, Self::MAX_DEGREE),
        }
    }

    /// Applies the filter to every column of `vectors: items x columns`.
    ///
    /// Cost: `degree` products with `P`.
    pub(super) fn apply<B: Backend>(
        &self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        vectors: &B::Matrix,
    ) -> Result<B::Matrix> {
        let (items, columns) = backend.shape(vectors);
        let width = backend.tile_columns(graph.users(), items).min(columns);
        concatenate_tiles(
            backend,
            &tile_ranges(columns, width),
            || Ok(()),
            |(), range| {
                let mut users = backend.zeros(graph.users(), range.len())?;
                let mut previous = backend.columns(vectors, range.clone())?;
                backend.scale_rows(graph.inverse_root_degrees(), &mut previous)?;
                let mut current = backend.zeros(items, range.len())?;
                self.recurrence(backend, graph, &mut users, &mut previous, &mut current)?;
                backend.scale_rows(graph.root_degrees(), &mut current)?;
                Ok(current)
            },
        )
    }

    /// The scaled three-term recurrence (Zhou and Saad 2006, algorithm 2.1):
    /// from `previous` to the filtered vectors in `current`.
    fn recurrence<B: Backend>(
        &self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        users: &mut B::Matrix,
        previous: &mut B::Matrix,
        current: &mut B::Matrix,
    ) -> Result<()> {
        let half = self.cut / 2.0;
        let first_scale = half / (1.0 - half);
        let mut scale = first_scale;
        graph.to_users(backend, previous, users)?;
        let first = Update {
            product: (scale / half) as f32,
            keep: 0.0,
            addend: Some((-scale as f32, &*previous)),
        };
        graph.to_items(backend, users, first, current)?;
        for _ in 1..self.degree {
            let next_scale = 1.0 / (2.0 / first_scale - scale);
            graph.to_users(backend, current, users)?;
            let next = Update {
                product: (2.0 * next_scale / half) as f32,
                keep: (-scale * next_scale) as f32,
                addend: Some((-2.0 * next_scale as f32, &*current)),
            };
            graph.to_items(backend, users, next, previous)?;
            std::mem::swap(previous, current);
            scale = next_scale;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_degree_keeps_the_contrast_within_its_limit() {
        for round in 0..6 {
            for cut in [0.01, 0.05, 0.2, 0.6] {
                let filter = ChebyshevFilter::choose(cut, round);
                let contrast = (filter.degree as f64 * (2.0 / cut - 1.0).acosh()).cosh();
                assert!(
                    filter.degree == 1 || contrast <= ChebyshevFilter::contrast_limit(round),
                    "{filter:?} has contrast {contrast:e} in round {round}"
                );
            }
        }
    }
}
