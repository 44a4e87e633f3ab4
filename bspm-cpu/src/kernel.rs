//! The inner loops, compiled for each instruction set and chosen at run time.

pub(crate) mod elementwise;
pub(crate) mod instruction_set;
pub(crate) mod spmm;
pub(crate) mod top_k;
