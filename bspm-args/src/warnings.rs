//! What a person should know of a fit that went less well than asked for.

use bspm::{Backend, FittedFilter};

/// A line on standard error where the truncated SVD has a
/// [`warning`](bspm::engine::SvdReport::warning).
pub fn warn_of_svd<B: Backend>(fitted: &FittedFilter<B>) {
    if let Some(warning) = fitted
        .svd_report()
        .and_then(bspm::engine::SvdReport::warning)
    {
        tell!("warning: {warning}");
    }
}
