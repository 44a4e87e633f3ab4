//! The engine, which fits and runs all filters: the normalised walk, polynomials of it, the truncated SVD,
//! item graphs, and the matrices of a tile.
//!
//! Each filter is converted to a common form, a frequency response (`spectral`) or an item graph
//! (`item_graph`), which is run by the same code.

pub(crate) mod autoencoder;
pub(crate) mod basis;
pub(crate) mod chebyshev;
pub(crate) mod filter;
pub(crate) mod fit_options;
pub(crate) mod item_graph;
pub(crate) mod local_regression;
pub(crate) mod low_pass;
pub(crate) mod mean_norm;
pub(crate) mod neighbour_rows;
pub(crate) mod neighbour_table;
pub(crate) mod polynomial;
pub(crate) mod rank_one;
pub(crate) mod regression;
pub(crate) mod shared_svd;
pub(crate) mod spectral;
pub(crate) mod tensors;
pub(crate) mod tiles;
pub(crate) mod truncated_svd;
pub(crate) mod walk;
pub(crate) mod workspace;

pub use fit_options::FitOptions;
pub use truncated_svd::{SvdReport, SvdStop, TruncatedSvd, truncated_svd};
pub use walk::{Normalization, NormalizedGraph};
