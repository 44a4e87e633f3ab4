//! The Chebyshev filter: polynomials of `P` that suppress the unwanted part of its spectrum.

use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use crate::engine::tiles::{map_tiles, tile_ranges};
use crate::engine::walk::NormalizedGraph;
use crate::observe::Observed;
use bspm_data::Result;

/// A polynomial of `P`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SpectralFilter {
    /// `P^2` plus a small multiple of the identity, for a random start, when the spectrum is unknown. The
    /// identity keeps the block at full rank if `R` has a lower rank.
    Smooth,
    /// A Chebyshev polynomial.
    Chebyshev(Chebyshev),
}

/// A Chebyshev polynomial, mapped to `[0, cut]` and scaled to one at `top`, the largest eigenvalue that has not
/// converged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chebyshev {
    pub(super) cut: f64,
    pub(super) top: f64,
    pub(super) degree: usize,
}

/// The known properties of the spectrum when a filter is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum<'a> {
    /// The Ritz values that have not converged, in descending order.
    pub(super) values: &'a [f64],
    /// The residuals of the Ritz values.
    pub(super) residuals: &'a [f64],
    /// The smallest Ritz value of the block.
    pub(super) cut: f64,
    /// The target of the residuals.
    pub(super) target: f64,
}

impl Chebyshev {
    /// The maximum degree. A larger degree is wasted, because the next round rotates the vectors.
    const MAX_DEGREE: usize = 40;

    /// The maximum amplification of one vector in all columns, relative to the others. With more, the other
    /// components of a column would be lost to rounding in `f32`.
    const CONTRAST_LIMIT: f64 = 1e3;

    /// The component of a vector that every column has because of rounding: `f32::EPSILON`, distributed over
    /// the items.
    const ROUNDING_TRACE: f64 = 1e-5;

    /// Chooses the lowest degree with which every vector reaches the target, within the limit of the
    /// amplification.
    ///
    /// In a Ritz vector with the residual `r` and the Ritz value `theta`, about `r / (theta - cut)` of its
    /// eigenvector is missing, and is in the columns below it instead.
    pub(super) fn choose(spectrum: Spectrum<'_>) -> Self {
        let top = spectrum.values.first().copied().unwrap_or(1.0);
        let cut = spectrum.cut.clamp(1e-4, 0.9);
        let mut most = Self::MAX_DEGREE as f64;
        let mut needed = 1.0_f64;
        for (&value, &residual) in spectrum.values.iter().zip(spectrum.residuals) {
            let above = (value - cut).max(1e-4 * cut);
            let degree = |growth: f64| growth.acosh() / rate(cut, cut + above);
            let trace = (residual / above).clamp(Self::ROUNDING_TRACE, 1.0);
            most = most.min(degree(Self::CONTRAST_LIMIT / trace));
            needed = needed.max(degree((residual / spectrum.target).max(1.0)));
        }
        Self {
            cut,
            top: top.clamp(cut * 1.001, 1.0),
            degree: (most.min(needed.ceil()) as usize).max(1),
        }
    }

    /// Returns the number of products after which the components of locked vectors, with eigenvalues up to 1,
    /// must be removed.
    fn purge_interval(&self) -> usize {
        let most = (Self::CONTRAST_LIMIT / Self::ROUNDING_TRACE).acosh() / rate(self.cut, 1.0);
        (most as usize).max(1)
    }
}

/// Returns the logarithmic growth per degree of a Chebyshev polynomial on `[0, cut]` at an eigenvalue above the
/// cut.
fn rate(cut: f64, eigenvalue: f64) -> f64 {
    (2.0 * eigenvalue / cut - 1.0).acosh()
}

/// Filters the columns of `vectors: items x columns`, and makes them orthogonal to `locked`.
///
/// Cost: one product with `P` per degree, and two projections, plus two more projections each time that the
/// components of the locked vectors are removed.
pub(super) fn filter_vectors<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    polynomial: &SpectralFilter,
    vectors: B::Matrix,
    locked: Option<&B::Matrix>,
    observed: &Observed<'_>,
) -> Result<B::Matrix> {
    let (items, columns) = vectors.shape();
    let width = graph.tile_columns().min(columns);
    map_tiles(
        backend,
        vectors,
        &tile_ranges(columns, width),
        |scratch, vectors, range| {
            observed.advance(0)?;
            let mut tile = Tile {
                backend,
                graph,
                locked,
                users: scratch.of_shape(backend, graph.users(), range.len())?,
                previous: backend.columns(vectors, range.clone())?,
                current: backend.zeros(items, range.len())?,
            };
            backend.scale_rows(graph.inverse_root_degrees(), &mut tile.previous)?;
            match polynomial {
                SpectralFilter::Smooth => tile.smooth()?,
                SpectralFilter::Chebyshev(filter) => tile.chebyshev(filter)?,
            }
            backend.scale_rows(graph.root_degrees(), &mut tile.current)?;
            if let Some(locked) = locked {
                for _ in 0..2 {
                    remove_components(backend, locked, &mut tile.current)?;
                }
            }
            Ok(tile.current)
        },
    )
}

/// `tile -= locked * (locked^T * tile)`. A second call removes the remaining rounding errors.
fn remove_components<B: Backend>(
    backend: Checked<'_, B>,
    locked: &B::Matrix,
    tile: &mut B::Matrix,
) -> Result<()> {
    let mut components = backend.zeros(locked.shape().1, tile.shape().1)?;
    backend.matmul(
        locked,
        true,
        Operand::Dense(tile),
        Update::REPLACE,
        &mut components,
    )?;
    let subtract = Update::added(-1.0);
    backend.matmul(locked, false, Operand::Dense(&components), subtract, tile)
}

/// A tile of columns in a filter, in walk coordinates.
struct Tile<'a, B: Backend> {
    backend: Checked<'a, B>,
    graph: &'a NormalizedGraph<B>,
    locked: Option<&'a B::Matrix>,
    users: &'a mut B::Matrix,
    previous: B::Matrix,
    current: B::Matrix,
}

impl<B: Backend> Tile<'_, B> {
    /// Applies the smoothing filter to `previous`, into `current`.
    fn smooth(&mut self) -> Result<()> {
        let Self {
            backend,
            graph,
            users,
            previous,
            current,
            ..
        } = self;
        let start = Operand::Dense(previous);
        graph.step(*backend, Some(start), Update::REPLACE, users, current)?;
        let add_to_start = Update {
            product: 1.0,
            keep: 1e-3,
            addend: None,
        };
        let once = Operand::Dense(current);
        graph.step(*backend, Some(once), add_to_start, users, previous)?;
        std::mem::swap(previous, current);
        Ok(())
    }

    /// Applies the scaled three-term recurrence (Zhou and Saad 2006, algorithm 2.1) to `previous`, into
    /// `current`.
    fn chebyshev(&mut self, filter: &Chebyshev) -> Result<()> {
        let half = filter.cut / 2.0;
        let first_scale = half / (filter.top - half);
        let mut scale = first_scale;
        let interval = filter.purge_interval();
        let first = Update {
            product: (scale / half) as f32,
            keep: 0.0,
            addend: Some((-scale as f32, &self.previous)),
        };
        self.graph.step(
            self.backend,
            Some(Operand::Dense(&self.previous)),
            first,
            self.users,
            &mut self.current,
        )?;
        for degree in 1..filter.degree {
            if degree % interval == 0 {
                self.purge()?;
            }
            let next_scale = 1.0 / (2.0 / first_scale - scale);
            let next = Update {
                product: (2.0 * next_scale / half) as f32,
                keep: (-scale * next_scale) as f32,
                addend: Some((-2.0 * next_scale as f32, &self.current)),
            };
            self.graph.step(
                self.backend,
                Some(Operand::Dense(&self.current)),
                next,
                self.users,
                &mut self.previous,
            )?;
            std::mem::swap(&mut self.previous, &mut self.current);
            scale = next_scale;
        }
        Ok(())
    }

    /// Removes the components of the locked vectors that are left by rounding, before the recurrence amplifies
    /// them.
    fn purge(&mut self) -> Result<()> {
        let Some(locked) = self.locked else {
            return Ok(());
        };
        for tile in [&mut self.previous, &mut self.current] {
            self.backend.scale_rows(self.graph.root_degrees(), tile)?;
            remove_components(self.backend, locked, tile)?;
            self.backend
                .scale_rows(self.graph.inverse_root_degrees(), tile)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_degree_drowns_no_column_and_is_no_higher_than_needed() {
        for cut in [0.01, 0.05, 0.2, 0.6] {
            for residual in [1e-2, 1e-4, 1e-6] {
                for target in [1e-3, 1e-8] {
                    let values = [1.0, cut * 1.5, cut * 1.1];
                    let residuals = [residual / 10.0, residual, residual];
                    let filter = Chebyshev::choose(Spectrum {
                        values: &values,
                        residuals: &residuals,
                        cut,
                        target,
                    });
                    let growth = |degree: usize, at| (degree as f64 * rate(cut, at)).cosh();
                    let trace = (residuals[0] / (1.0 - cut)).max(Chebyshev::ROUNDING_TRACE);
                    let contrast = trace * growth(filter.degree, 1.0);
                    assert!(
                        filter.degree == 1 || contrast <= Chebyshev::CONTRAST_LIMIT,
                        "{filter:?} has contrast {contrast:e}"
                    );
                    let is_needed = values.iter().zip(residuals).any(|(&value, residual)| {
                        growth(filter.degree - 1, value) < residual / target
                    });
                    assert!(filter.degree == 1 || is_needed, "{filter:?} is too high");
                }
            }
        }
    }
}
