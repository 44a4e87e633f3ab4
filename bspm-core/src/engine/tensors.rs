//! The parts of a fitted filter that a model file keeps, and where they come from.

use super::fit_options::FitOptions;
use super::truncated_svd::SvdReport;
use crate::backend::{Backend, SharedMatrix};
use crate::error::{Error, Result};

/// A part of a fitted filter.
#[derive(Debug)]
pub(crate) enum Tensor<'a, B: Backend> {
    /// On the device.
    Matrix(&'a B::Matrix),
    /// On the host.
    Floats(&'a [f32]),
    /// On the host.
    Indices(&'a [u32]),
}

/// The parts of a filter, by name.
pub(crate) type Tensors<'a, B> = Vec<(&'static str, Tensor<'a, B>)>;

/// Where the parts of a saved filter are read from.
pub(crate) trait SavedTensors {
    fn matrix(&self, name: &str) -> Result<SharedMatrix>;
    fn floats(&self, name: &str) -> Result<Vec<f32>>;
    fn indices(&self, name: &str) -> Result<Vec<u32>>;
    /// What computing the singular vectors took, where the file says it.
    fn svd_report(&self) -> Option<SvdReport>;
    /// The error for parts that contradict each other or the rest of the file.
    fn invalid(&self, expected: &str, found: String) -> Error;
}

/// Where what is long to compute comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// It is computed.
    Fit(&'a FitOptions),
    /// It was saved.
    Saved(&'a dyn SavedTensors),
}
