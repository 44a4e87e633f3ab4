//! Vectors of users and items, for vector databases.

use ndarray::Array2;

use super::FittedFilter;
use crate::backend::{Backend, Checked};
use bspm_data::History;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// Vectors of users and items whose inner products are the scores of the ideal low-pass filter
/// `r D_i^-1/2 V V^T D_i^1/2` (paper, section 3.2), which is the low-rank part of BSPM, GF-CF and ChebyCF.
/// The blur, their other part, does not have a low rank, so the vectors give the lists of the ideal low-pass
/// filter only. The setting `offset` is added to the degrees `D_i`, and the exponent of ChebyCF is its setting
/// `beta`.
#[derive(Clone, Debug)]
pub struct LowPassVectors {
    /// `V`, `items x factors`.
    basis: Array2<f32>,
    /// `D_i^1/2 V`.
    items: Array2<f32>,
    /// `D_i^-1/2`.
    history_weights: Vec<f32>,
}

impl<B: Backend> FittedFilter<B> {
    /// Returns the vectors of users and items. Cost: a copy of the singular vectors.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the filter has no singular vectors, or
    /// those of a different matrix; those of the backend.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, FittedFilter, Interactions};
    /// # use bspm_cpu::CpuBackend;
    /// let interactions = Interactions::from_pairs(3, 3, [(0, 0), (0, 1), (1, 1), (2, 2)])?;
    /// let config = BspmConfig::builder().ideal_low_pass(2, 0.2).build()?;
    /// let fitted = FittedFilter::fit(CpuBackend::new(), interactions, config)?;
    /// let vectors = fitted.low_pass_vectors()?;
    /// let user = vectors.of_history(&[0, 1]);
    /// let scores = vectors.items().dot(&ndarray::Array1::from(user));
    /// assert!(scores[1] > scores[2]);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn low_pass_vectors(&self) -> Result<LowPassVectors> {
        let Some(low_pass) = self.filter.ideal_low_pass() else {
            let expected = "bspm, gf-cf or cheby-cf with an ideal low-pass filter";
            return Err(invalid("filter", expected, self.config.name()));
        };
        let backend = Checked::new(&self.backend);
        let items = backend.download(low_pass.decoder)?;
        Ok(LowPassVectors {
            basis: backend.download(low_pass.vectors)?,
            items: items * backend.download(self.filter.item_scale())?,
            history_weights: low_pass.history_weights.to_vec(),
        })
    }
}

impl LowPassVectors {
    /// The dimension of the vectors.
    pub fn factors(&self) -> usize {
        self.basis.ncols()
    }

    /// The vectors of the items, `D_i^1/2 V`: `items x factors`.
    pub fn items(&self) -> &Array2<f32> {
        &self.items
    }

    /// The vector of a history `r`, `V^T D_i^-1/2 r`; unknown items are ignored.
    pub fn of_history<'h>(&self, history: impl Into<History<'h>>) -> Vec<f32> {
        let mut sum = vec![0.0; self.factors()];
        for (item, weight) in history.into().entries() {
            let Some(own) = self.history_weights.get(item as usize) else {
                continue;
            };
            for (sum, value) in sum.iter_mut().zip(self.basis.row(item as usize)) {
                *sum += weight * own * value;
            }
        }
        sum
    }
}
