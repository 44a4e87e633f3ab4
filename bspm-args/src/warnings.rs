//! Warnings about a fit that did not reach the requested accuracy.

use bspm::{Backend, FittedFilter};

/// Prints the [`warning`](bspm::engine::SvdReport::warning) of the truncated SVD to standard error,
/// if there is one.
pub fn warn_of_svd<B: Backend>(fitted: &FittedFilter<B>) {
    if let Some(warning) = fitted
        .svd_report()
        .and_then(bspm::engine::SvdReport::warning)
    {
        tell!("warning: {warning}");
    }
}
