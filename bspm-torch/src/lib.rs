//! The libtorch backend of `bspm`: CUDA, and libtorch's CPU device.
//!
//! `R` and its transpose stay on the device as compressed sparse rows, and scores are
//! computed in `items x users` tiles; `P` is never formed. Of a ranking only the ids
//! and scores of the top entries come back. Nothing of `tch` is in this interface.
//!
//! # What a batch costs
//!
//! For 2048 users of Gowalla with the published preset (`items` 40,981, `users` 29,858,
//! 810,128 interactions, 448 factors), as libtorch's calls read and write it:
//!
//! | | calls | operations | bytes |
//! | --- | --- | --- | --- |
//! | 5 steps of the walk: SpMM | 10 `addmm.out` | 33 GFLOP | 8.7 GB |
//! | what the products are added to | 5 `zero_`, 4 `mul.out`, 5 `index_add_` | | 4.2 GB |
//! | ideal low-pass: SpMM of the histories, GEMM | 4 | 75 GFLOP | 0.5 GB |
//! | scores to ranks: scale, transpose, mask, top-k | 7 | | 2.0 GB |
//! | sum | 35 | 108 GFLOP | 15.4 GB |
//!
//! A step of the walk, [`ode_step`](bspm_core::Backend::ode_step), is two SpMM, each into the
//! place of its result: one pass brings there what the product is added to, and the factor of
//! the product goes into the values of the sparse matrix. (libtorch could spare the passes
//! before with a factor of `addmm` that `tch` does not pass on.) On an H100 (67 TFLOP/s in
//! `f32`, 3.35 TB/s) a batch is 1.6 ms of arithmetic and 4.6 ms of memory traffic, so none
//! takes less than 4.6 ms, and no evaluation of all 29,858 users less than 69 ms. Gathers that
//! miss every cache would move 66 GB instead, 20 ms a batch. Making `P` dense, as the authors'
//! code does, costs 620 TFLOP in all. These are counts; on an H200 a batch was measured to take
//! 16.8 ms, its lists on the host included.
//!
//! On a GPU two tiles are under way at once: while one is computed, the histories of the other
//! are prepared and copied from pinned memory. The lists of a tile come back in one copy.
//! cuSPARSE sums in an order of its own, so that two runs on a GPU agree but for rounding:
//! compare them by tolerance and by metrics. On the CPU device they agree bit for bit.
//!
//! # Memory
//!
//! With `c` users in a tile and `f` factors, scoring holds at most
//!
//! ```text
//! 4 * (4 * items * c + users * c + 2 * f * c + items * f) + 16 * interactions
//! ```
//!
//! bytes on the device for each tile under way: the scores, the low-pass part, a stage of the
//! recurrence and what is transient, and 16 for each entry of the tile's histories. EASE-R's
//! inverse is made in the place of the matrix, on a GPU with a second one. The backend has a
//! budget, of 80% of the free memory of a GPU and of 4 GiB elsewhere unless told: `c` is the
//! largest multiple of 32, up to 2048, whose part of that is within half of it, and every
//! matrix is counted against it, transient ones too. A tile has fewer than 2^31 elements. What
//! does not fit is [`MemoryBudget`](bspm_core::Error::MemoryBudget), with both numbers.
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
mod product;
mod sparse;
mod tiles;
mod top_k;
mod transfer;

pub use backend::TorchBackend;
pub use device::TorchDevice;
pub use error::TorchError;
pub use histories::TorchHistories;
pub use matrix::TorchMatrix;
pub use sparse::TorchSparse;
