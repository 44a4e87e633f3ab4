//! The CPU backend of `bspm`.
//!
//! A tile is 32 users wide. One thread processes it from history to ranking, so its matrices stay in the
//! cache of that core; other threads process other tiles. A row of a tile is two cache lines, and a sparse
//! product only adds rows, with AVX-512 or AVX2 if the processor supports them.
//!
//! # Examples
//!
//! ```
//! use bspm_core::fitted::RankOptions;
//! use bspm_core::{BspmConfig, FittedFilter, Interactions, Solver};
//! use bspm_cpu::CpuBackend;
//!
//! # fn main() -> bspm_core::Result<()> {
//! let interactions =
//!     Interactions::from_pairs(3, 4, [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3)])?;
//! let config = BspmConfig::builder().sharpen(Solver::Euler, 0.5, 1).build()?;
//! let model = FittedFilter::fit(CpuBackend::new(), interactions, config)?;
//! let ranking = model.rank(&[0], &RankOptions::top(2))?;
//! assert_eq!(ranking.lists[0][0].item, 2);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod error;
mod histories;
mod inverse;
mod kernel;
mod matmul;
mod matrix;
mod quantized;
mod sparse;
mod threads;

pub use backend::CpuBackend;
pub use error::CpuError;
pub use histories::CpuHistories;
pub use matrix::CpuMatrix;
pub use sparse::CpuSparse;
