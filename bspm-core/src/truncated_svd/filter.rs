//! Polynomials of `P` that damp the unwanted part of its spectrum.

use crate::backend::{Backend, Update};
use crate::error::Result;
use crate::normalization::NormalizedGraph;
use crate::observe::Observed;
use crate::tiles::{map_tiles, tile_ranges};

/// A polynomial of `P`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filter {
    /// `P^2`, plus a little of the identity: what a random start needs before
    /// anything is known of the spectrum. The identity keeps the block at full rank
    /// where `R` is not.
    Smooth,
    /// The Chebyshev polynomial of some degree, moved to `[0, cut]` and scaled to
    /// one at 1, the largest eigenvalue of `P`.
    Chebyshev { cut: f64, degree: usize },
}

impl Filter {
    const MAX_DEGREE: usize = 16;

    /// How much more a filter may amplify the top of the spectrum than the cut.
    ///
    /// Rounding leaves a trace of the top vectors in every column, which the filter
    /// amplifies by this much. Above `1 / f32::EPSILON`, times the square root of
    /// the number of items that the rounding is spread over, it would drown the
    /// column. The start has more than a trace, so the first rounds may amplify less.
    fn contrast_limit(round: usize) -> f64 {
        (1e5 * 1e3_f64.powi(round as i32)).min(1e10)
    }

    /// The filter for a block whose smallest Ritz value is `smallest_ritz_value`.
    pub(super) fn choose(smallest_ritz_value: f64, round: usize) -> Self {
        let cut = smallest_ritz_value.clamp(1e-4, 0.9);
        let growth = (2.0 / cut - 1.0).acosh();
        let degree = (2.0 * Self::contrast_limit(round)).ln() / growth;
        Self::Chebyshev {
            cut,
            degree: (degree as usize).clamp(1, Self::MAX_DEGREE),
        }
    }

    /// From `previous` to the filtered vectors in `current`, in walk coordinates.
    fn run<B: Backend>(
        self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        users: &mut B::Matrix,
        previous: &mut B::Matrix,
        current: &mut B::Matrix,
    ) -> Result<()> {
        match self {
            Self::Smooth => {
                graph.to_users(backend, previous, users)?;
                graph.to_items(backend, users, Update::REPLACE, current)?;
                graph.to_users(backend, current, users)?;
                let add_to_start = Update {
                    product: 1.0,
                    keep: 1e-3,
                    addend: None,
                };
                graph.to_items(backend, users, add_to_start, previous)?;
                std::mem::swap(previous, current);
                Ok(())
            }
            Self::Chebyshev { cut, degree } => {
                let recurrence = Recurrence { cut, degree };
                recurrence.run(backend, graph, users, previous, current)
            }
        }
    }
}

/// The filtered columns of `vectors: items x columns`, made orthogonal to `locked`.
///
/// Cost: one product with `P` per degree, and two projections.
pub(super) fn apply_filter<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    filter: &Filter,
    vectors: B::Matrix,
    locked: Option<&B::Matrix>,
    observed: &Observed<'_>,
) -> Result<B::Matrix> {
    let (items, columns) = backend.shape(&vectors);
    let width = graph.tile_columns().min(columns);
    map_tiles(
        backend,
        vectors,
        &tile_ranges(columns, width),
        |vectors, range| {
            observed.advance(0)?;
            let mut users = backend.zeros(graph.users(), range.len())?;
            let mut previous = backend.columns(vectors, range.clone())?;
            backend.scale_rows(graph.inverse_root_degrees(), &mut previous)?;
            let mut current = backend.zeros(items, range.len())?;
            filter.run(backend, graph, &mut users, &mut previous, &mut current)?;
            backend.scale_rows(graph.root_degrees(), &mut current)?;
            if let Some(locked) = locked {
                remove_components(backend, locked, &mut current)?;
            }
            Ok(current)
        },
    )
}

/// `tile -= locked * (locked^T * tile)`, twice: the first leaves rounding behind.
fn remove_components<B: Backend>(
    backend: &B,
    locked: &B::Matrix,
    tile: &mut B::Matrix,
) -> Result<()> {
    let mut components = backend.zeros(backend.shape(locked).1, backend.shape(tile).1)?;
    for _ in 0..2 {
        backend.matmul(locked, true, tile, Update::REPLACE, &mut components)?;
        let subtract = Update {
            product: -1.0,
            keep: 1.0,
            addend: None,
        };
        backend.matmul(locked, false, &components, subtract, tile)?;
    }
    Ok(())
}

/// The scaled three-term recurrence of a Chebyshev filter
/// (Zhou and Saad 2006, algorithm 2.1).
struct Recurrence {
    cut: f64,
    degree: usize,
}

impl Recurrence {
    fn run<B: Backend>(
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
            for smallest in [0.01, 0.05, 0.2, 0.6] {
                let Filter::Chebyshev { cut, degree } = Filter::choose(smallest, round) else {
                    panic!("a spectrum is known");
                };
                let contrast = (degree as f64 * (2.0 / cut - 1.0).acosh()).cosh();
                assert!(
                    degree == 1 || contrast <= Filter::contrast_limit(round),
                    "degree {degree} has contrast {contrast:e} in round {round}"
                );
            }
        }
    }
}
