//! The tensors of a fitted filter in a model file, and their sources.

use std::borrow::Cow;

use super::fit_options::FitOptions;
use super::shared_svd::SharedSvd;
use super::truncated_svd::SvdReport;
use crate::backend::{Backend, Shaped, SharedMatrix};
use bspm_data::{Error, Result};

/// A tensor of a fitted filter.
#[derive(Debug)]
pub(crate) enum Tensor<'a, B: Backend> {
    /// On the device.
    Matrix(&'a B::Matrix),
    /// On the host.
    Floats(&'a [f32]),
    /// On the host.
    Indices(&'a [u32]),
}

impl<B: Backend> Tensor<'_, B> {
    /// The size of the values.
    pub(crate) fn bytes(&self) -> usize {
        let values = match self {
            Self::Matrix(matrix) => {
                let (rows, columns) = matrix.shape();
                rows * columns
            }
            Self::Floats(floats) => floats.len(),
            Self::Indices(indices) => indices.len(),
        };
        values * size_of::<f32>()
    }
}

/// The tensors of a filter, by name.
pub(crate) type Tensors<'a, B> = Vec<(Cow<'static, str>, Tensor<'a, B>)>;

/// A reader of the tensors of a saved filter.
pub(crate) trait SavedTensors {
    fn has(&self, name: &str) -> bool;
    fn matrix(&self, name: &str) -> Result<SharedMatrix>;
    fn floats(&self, name: &str) -> Result<Vec<f32>>;
    fn indices(&self, name: &str) -> Result<Vec<u32>>;
    /// The report of the truncated SVD, if the file has it.
    fn svd_report(&self) -> Option<SvdReport>;
    /// Returns the error for tensors that are inconsistent with each other or with the file.
    fn invalid(&self, expected: &str, found: String) -> Error;

    /// Like [`matrix`](Self::matrix), but returns an error if the shape differs.
    fn matrix_of(&self, name: &str, shape: (usize, usize)) -> Result<SharedMatrix> {
        let matrix = self.matrix(name)?;
        if matrix.shape() != shape {
            let expected = format!("{name}: shape {shape:?}");
            return Err(self.invalid(&expected, format!("{:?}", matrix.shape())));
        }
        Ok(matrix)
    }

    /// Like [`floats`](Self::floats), but returns an error unless there are `length` positive numbers.
    fn positive_floats(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        let values = self.floats(name)?;
        let wrong = values.iter().find(|it| !(it.is_finite() && **it > 0.0));
        let found = match wrong {
            _ if values.len() != length => Some(format!("{} numbers", values.len())),
            wrong => wrong.map(f32::to_string),
        };
        if let Some(found) = found {
            let expected = format!("{name}: {length} positive numbers");
            return Err(self.invalid(&expected, found));
        }
        Ok(values)
    }
}

/// The source of expensive parts of a filter.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// They are computed, or shared with other fits to the same matrix.
    Fit(&'a FitOptions, Option<&'a SharedSvd>),
    /// They are read from a model file.
    Saved(&'a dyn SavedTensors),
}

/// The tensors of a part of a filter, whose names have a prefix.
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

/// Returns the prefix of the names of the tensors of a part.
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
