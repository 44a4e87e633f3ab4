//! The leading right singular vectors of `R`, computed or read from a model file.

use ndarray::s;

use super::tensors::{Source, Tensor, Tensors};
use super::truncated_svd::{SvdReport, truncated_svd};
use super::walk::NormalizedGraph;
use crate::backend::{Backend, Checked};
use crate::error::Result;

/// The leading right singular vectors of `R`.
#[derive(Debug)]
pub(crate) struct Basis<B: Backend> {
    /// `V: items x factors`.
    pub(crate) vectors: B::Matrix,
    /// Descending.
    pub(crate) singular_values: Vec<f32>,
    /// What computing them took; none where the file they were read from does not say it.
    pub(crate) report: Option<SvdReport>,
}

const VECTORS: &str = "ideal_low_pass.basis";
pub(crate) const SINGULAR_VALUES: &str = "ideal_low_pass.singular_values";

impl<B: Backend> Basis<B> {
    /// `factor_dim` vectors, or as many as the rank of `R` where that is lower.
    pub(crate) fn obtain(
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        factor_dim: usize,
        source: Source<'_>,
    ) -> Result<Self> {
        let tensors = match source {
            Source::Fit(options, shared) => {
                if let Some(shared) = shared {
                    return shared.with(backend, graph, factor_dim, options, |svd| {
                        let count = factor_dim.min(svd.singular_values.len());
                        Ok(Self {
                            vectors: backend.upload(svd.vectors.slice(s![.., ..count]))?,
                            singular_values: svd.singular_values[..count].to_vec(),
                            report: Some(svd.report.clone()),
                        })
                    });
                }
                let svd = truncated_svd(backend.unchecked(), graph, factor_dim, options)?;
                return Ok(Self {
                    vectors: svd.right_vectors,
                    singular_values: svd.singular_values,
                    report: Some(svd.report),
                });
            }
            Source::Saved(tensors) => tensors,
        };
        let singular_values = tensors.floats(SINGULAR_VALUES)?;
        let vectors = tensors.matrix(VECTORS)?;
        let shape = (graph.items(), singular_values.len());
        let vectors = if shape.1 == 0 {
            backend.zeros(shape.0, 0)?
        } else if vectors.shape() == shape {
            backend.upload_shared(vectors)?
        } else {
            let expected = format!("{VECTORS}: shape {shape:?}");
            return Err(tensors.invalid(&expected, format!("{:?}", vectors.shape())));
        };
        Ok(Self {
            vectors,
            singular_values,
            report: tensors.svd_report(),
        })
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
