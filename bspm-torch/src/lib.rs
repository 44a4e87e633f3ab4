//! The libtorch backend of `bspm`: CUDA, and libtorch's CPU device.
//!
//! `R` and its transpose are stored on the device as compressed sparse rows. Scores are computed in
//! `items x users` tiles, and `P` is never formed. Only the ids and scores of the top-k entries are copied
//! to the host. The interface does not contain types of `tch`.
//!
//! # The cost of a batch
//!
//! Operations and memory traffic of libtorch's calls for 2048 users of Gowalla with the published preset
//! (`items` 40,981, `users` 29,858, 810,128 interactions, 448 factors):
//!
//! | | calls | operations | bytes |
//! | --- | --- | --- | --- |
//! | 5 steps of the walk: SpMM | 10 `addmm.out` | 33 GFLOP | 8.7 GB |
//! | addends of the products | 5 `zero_`, 4 `mul.out`, 5 `index_add_` | | 4.2 GB |
//! | ideal low-pass filter: SpMM of the histories, GEMM | 4 | 75 GFLOP | 0.5 GB |
//! | scores to ranks: scale, transpose, mask, top-k | 7 | | 2.0 GB |
//! | sum | 35 | 108 GFLOP | 15.4 GB |
//!
//! On a GPU, these are two tiles of 1024 users, with twice as many calls.
//!
//! A step of the walk, [`ode_step`](bspm_core::Backend::ode_step), is two SpMM, each of which writes to its
//! result in place: one pass first writes the addend of the product to the result, and the values of the
//! sparse matrix are multiplied by the factor of the product. (A factor of `addmm` in libtorch would save
//! these passes, but `tch` does not expose it.) On an H100 (67 TFLOP/s in `f32`, 3.35 TB/s), a batch is
//! 1.6 ms of arithmetic and 4.6 ms of memory traffic, so a batch takes at least 4.6 ms, and an evaluation of
//! all 29,858 users takes at least 69 ms. If every gather missed the caches, the traffic would be 66 GB,
//! or 20 ms per batch. A dense `P`, as in the authors' code, costs 620 TFLOP in total. These numbers are
//! calculated; on an H200, the measured time of a batch is 16.8 ms, including the copy of its lists to the
//! host.
//!
//! On a GPU, two tiles are processed at the same time, so a batch of 2048 users is two tiles: while one tile
//! is computed, the histories of the other tile are prepared and copied from pinned memory. The lists of a
//! tile are copied to the host in one transfer. The small eigenvalue problems of a truncated SVD are solved
//! on the host, with LAPACK, and the device waits for them. The order in which cuSPARSE adds is not fixed,
//! so two runs on a GPU are equal only up to rounding: compare them with a tolerance and by metrics. On the
//! CPU device, two runs with the same number of threads are equal to the last bit.
//!
//! The libraries of libtorch are loaded when a backend is created.
//!
//! # Memory
//!
//! With `c` users in a tile and `f` factors, scoring holds at most
//!
//! ```text
//! 4 * (4 * items * c + users * c + 2 * f * c + items * f) + 16 * interactions
//! ```
//!
//! bytes on the device for each tile that is processed at the same time: the scores, the low-pass part, a
//! stage of the recurrence, temporary matrices, and 16 bytes for each entry of the tile's histories. The
//! inverse of EASE-R is computed in place; on a GPU, it takes a second matrix.
//!
//! The backend has a memory budget. Default: 80% of the free memory of a GPU, and 4 GiB otherwise. `c` is
//! the largest multiple of 32 for which `4 * (4 * items + users) * c` bytes for each of these tiles fit in
//! half of the budget, and for which these tiles have at most 2048 columns in total. Every matrix counts against
//! the budget, including temporary ones. A matrix of a tile has fewer than 2^31 elements. If the memory does
//! not suffice, the error is [`MemoryBudget`](bspm_core::Error::MemoryBudget), with the required and the
//! available bytes.
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
mod eigen;
mod error;
mod histories;
mod matrix;
mod product;
mod sparse;
mod top_k;
mod transfer;

pub use backend::TorchBackend;
pub use device::TorchDevice;
pub use error::TorchError;
pub use histories::TorchHistories;
pub use matrix::TorchMatrix;
pub use sparse::TorchSparse;
