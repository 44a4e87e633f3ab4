//! The libtorch backend of `bspm`: CUDA, and libtorch's CPU device.
//!
//! `R` and its transpose stay on the device as compressed sparse rows, and scores are
//! computed in `items x users` tiles; `P` is never formed. Of a ranking only the ids
//! and scores of the top entries come back. Nothing of `tch` is in this interface.
//!
//! # What a batch costs
//!
//! For 2048 users of Gowalla with the published preset (`items` 40,981, `users` 29,858,
//! 810,128 interactions, 448 factors):
//!
//! | | operations | bytes, each input read and each output written once |
//! | --- | --- | --- |
//! | 10 sparse products | 33 GFLOP | 5.8 GB |
//! | ideal low-pass, one dense product | 75 GFLOP | 0.7 GB |
//! | masking and top-k | | 0.3 GB |
//! | sum | 108 GFLOP | 6.9 GB |
//!
//! On an H100 (67 TFLOP/s in `f32`, 3.35 TB/s) that is 1.6 ms of arithmetic and 2.1 ms of
//! memory traffic, so no batch takes less than 2.1 ms, and no evaluation of all 29,858
//! users less than 31 ms. Gathers that miss every cache would move 66 GB instead, 20 ms a
//! batch. Making `P` dense, as the authors' code does, costs 620 TFLOP in all. These are
//! counts; CUDA has not been timed.
//!
//! # Memory
//!
//! With `c` users in a tile and `f` factors, scoring holds at most
//!
//! ```text
//! 4 * (8 * items * c + 3 * users * c + 2 * f * c + items * f) + 24 * interactions
//! ```
//!
//! bytes on the device. The backend has a budget, of 80% of the free memory of a GPU and of
//! 4 GiB elsewhere unless told: `c` is the largest multiple of 32, up
//! to 2048, whose part of that is within half of it, and every matrix is counted
//! against it. What does not fit is
//! [`MemoryBudget`](bspm_core::Error::MemoryBudget), with both numbers.
//!
//! # Examples
//!
//! ```
//! use bspm_core::{FittedFilter, BspmConfig, Interactions};
//! use bspm_core::fitted::RankOptions;
//! use bspm_torch::{TorchBackend, TorchDevice};
//!
//! # fn main() -> bspm_core::Result<()> {
//! let backend = TorchBackend::new(TorchDevice::Cpu)?;
//! let interactions = Interactions::from_pairs(2, 3, [(0, 0), (0, 1), (1, 1), (1, 2)])?;
//! let model = FittedFilter::fit(backend, interactions, BspmConfig::builder().build()?)?;
//! let ranking = model.rank(&[0], &RankOptions::top(1))?;
//! assert_eq!(ranking.lists[0][0].item, 2);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod budget;
mod cuda_link;
mod device;
mod error;
mod histories;
mod matrix;
mod sparse;
mod top_k;

pub use backend::TorchBackend;
pub use device::TorchDevice;
pub use error::TorchError;
pub use histories::TorchHistories;
pub use matrix::TorchMatrix;
pub use sparse::TorchSparse;
