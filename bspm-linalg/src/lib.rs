//! The dense linear algebra of `bspm`, with faer.
//!
//! Every function runs on the thread of the caller, so that results do not depend on the number of threads.
//! The functions of faer are generic and large. Here they are compiled once, for the types that `bspm` uses,
//! and not in every crate that calls them.

mod eigen;
mod matmul;
mod positive_definite;

pub use eigen::{SymmetricEigen, symmetric_eigen};
pub use faer::{Accum, Mat, MatMut, MatRef};
pub use matmul::{Number, lower_triangle_of_product, matmul, product};
pub use positive_definite::{inverse, inverse_cholesky_factor, solve};
