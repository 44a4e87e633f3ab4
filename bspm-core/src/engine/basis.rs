//! The leading right singular vectors of `R`, computed or read from a model file.

use ndarray::{Array2, s};

use super::shared_svd::KnownSvd;
use super::tensors::{Source, Tensor, Tensors};
use super::truncated_svd::{SvdReport, truncated_svd};
use super::walk::{Normalization, NormalizedGraph};
use crate::backend::{Backend, Checked, Shaped, Update};
use bspm_data::Interactions;
use bspm_data::Result;

/// The leading right singular vectors of `R`.
#[derive(Debug)]
pub(crate) struct Basis<B: Backend> {
    /// `V: items x factors`.
    pub(crate) vectors: B::Matrix,
    /// The singular values in descending order.
    pub(crate) singular_values: Vec<f32>,
    /// The normalisation of `R`.
    normalization: Normalization,
    /// The report of the truncated SVD; `None` if the vectors were extended, or if the model file has no
    /// report.
    pub(crate) report: Option<SvdReport>,
}

const VECTORS: &str = "ideal_low_pass.basis";
pub(crate) const SINGULAR_VALUES: &str = "ideal_low_pass.singular_values";

impl<B: Backend> Basis<B> {
    /// Computes or loads `factor_dim` vectors, or fewer if the rank of `R` is lower.
    pub(crate) fn obtain(
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        factor_dim: usize,
        source: Source<'_>,
    ) -> Result<Self> {
        let normalization = graph.normalization();
        let tensors = match source {
            Source::Fit(options, shared) => {
                if let Some(shared) = shared {
                    return shared.with(backend, graph, factor_dim, options, |svd| {
                        let count = factor_dim.min(svd.singular_values.len());
                        Ok(Self {
                            vectors: backend.upload(svd.vectors.slice(s![.., ..count]))?,
                            singular_values: svd.singular_values[..count].to_vec(),
                            normalization,
                            report: svd.report.clone(),
                        })
                    });
                }
                let svd = truncated_svd(backend.unchecked(), graph, factor_dim, options)?;
                return Ok(Self {
                    vectors: svd.right_vectors,
                    singular_values: svd.singular_values,
                    normalization,
                    report: Some(svd.report),
                });
            }
            Source::Saved(tensors) => tensors,
        };
        let singular_values = tensors.floats(SINGULAR_VALUES)?;
        let shape = (graph.items(), singular_values.len());
        let vectors = if shape.1 == 0 {
            tensors.matrix(VECTORS)?;
            backend.zeros(shape.0, 0)?
        } else {
            backend.upload(tensors.matrix_of(VECTORS, shape)?)?
        };
        Ok(Self {
            vectors,
            singular_values,
            normalization,
            report: tensors.svd_report(),
        })
    }

    /// Extends the vectors to a matrix with more rows and more columns on the right. The row of a new item is
    /// computed with `P V = V Sigma^2` from the rows of the other items of its users; the other rows do not
    /// change.
    ///
    /// Cost: one product with the walk, for `factors` columns.
    pub(crate) fn extended(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
    ) -> Result<KnownSvd> {
        let (known, factors) = self.vectors.shape();
        let device = backend.unchecked();
        let graph = NormalizedGraph::with_normalization(device, interactions, self.normalization)?;
        let mut vectors = Array2::zeros((graph.items(), factors));
        vectors
            .slice_mut(s![..known, ..])
            .assign(&backend.download(&self.vectors)?);
        let mut walked = backend.upload(vectors.view())?;
        backend.scale_rows(graph.inverse_root_degrees(), &mut walked)?;
        let mut half_way = backend.zeros(graph.users(), factors)?;
        graph.step(backend, None, Update::REPLACE, &mut half_way, &mut walked)?;
        backend.scale_rows(graph.root_degrees(), &mut walked)?;
        let walked = backend.download(&walked)?;
        let squares = self.singular_values.iter().map(|it| it * it);
        for (place, square) in squares.enumerate() {
            let rows = s![known.., place];
            vectors
                .slice_mut(rows)
                .assign(&(&walked.slice(rows) / square));
        }
        let singular_values = self.singular_values.clone();
        Ok(KnownSvd::of(&graph, vectors, singular_values))
    }

    pub(crate) fn tensors(&self) -> Tensors<'_, B> {
        vec![
            (VECTORS.into(), Tensor::Matrix(&self.vectors)),
            (
                SINGULAR_VALUES.into(),
                Tensor::Floats(&self.singular_values),
            ),
        ]
    }

    pub(crate) fn factors(&self) -> usize {
        self.singular_values.len()
    }
}
