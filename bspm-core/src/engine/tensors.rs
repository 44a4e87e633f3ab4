//! The parts of a fitted filter that a model file keeps, and where they come from.

use std::borrow::Cow;

use super::fit_options::FitOptions;
use super::shared_svd::SharedSvd;
use super::truncated_svd::SvdReport;
use crate::backend::{Backend, SharedMatrix};
use bspm_data::{Error, Result};

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
pub(crate) type Tensors<'a, B> = Vec<(Cow<'static, str>, Tensor<'a, B>)>;

/// Where the parts of a saved filter are read from.
pub(crate) trait SavedTensors {
    fn has(&self, name: &str) -> bool;
    fn matrix(&self, name: &str) -> Result<SharedMatrix>;
    fn floats(&self, name: &str) -> Result<Vec<f32>>;
    fn indices(&self, name: &str) -> Result<Vec<u32>>;
    /// What computing the singular vectors took, where the file says it.
    fn svd_report(&self) -> Option<SvdReport>;
    /// The error for parts that contradict each other or the rest of the file.
    fn invalid(&self, expected: &str, found: String) -> Error;

    /// [`matrix`](Self::matrix), which must have this shape.
    fn matrix_of(&self, name: &str, shape: (usize, usize)) -> Result<SharedMatrix> {
        let matrix = self.matrix(name)?;
        if matrix.shape() != shape {
            let expected = format!("{name}: shape {shape:?}");
            return Err(self.invalid(&expected, format!("{:?}", matrix.shape())));
        }
        Ok(matrix)
    }
}

/// Where what is long to compute comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// It is computed, or shared with other fits to the same matrix.
    Fit(&'a FitOptions, Option<&'a SharedSvd>),
    /// It was saved.
    Saved(&'a dyn SavedTensors),
}

/// The tensors of a part of a filter, whose names start with the part's.
pub(crate) struct OfPart<'a> {
    whole: &'a dyn SavedTensors,
    prefix: String,
}

impl<'a> OfPart<'a> {
    pub(crate) fn new(whole: &'a dyn SavedTensors, part: usize) -> Self {
        Self {
            whole,
            prefix: part_prefix(part),
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// What the names of a part's tensors start with.
pub(crate) fn part_prefix(part: usize) -> String {
    format!("part.{part}.")
}

impl SavedTensors for OfPart<'_> {
    fn has(&self, name: &str) -> bool {
        self.whole.has(&self.name(name))
    }

    fn matrix(&self, name: &str) -> Result<SharedMatrix> {
        self.whole.matrix(&self.name(name))
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>> {
        self.whole.floats(&self.name(name))
    }

    fn indices(&self, name: &str) -> Result<Vec<u32>> {
        self.whole.indices(&self.name(name))
    }

    fn svd_report(&self) -> Option<SvdReport> {
        self.whole.svd_report()
    }

    fn invalid(&self, expected: &str, found: String) -> Error {
        self.whole
            .invalid(&format!("{}{expected}", self.prefix), found)
    }
}
