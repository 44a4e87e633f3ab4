//! The inner loops, compiled for several instruction sets and selected at run time.

pub(crate) mod byte_products;
pub(crate) mod candidates;
pub(crate) mod cpu;
pub(crate) mod elementwise;
pub(crate) mod prefetch;
pub(crate) mod ranks_of_sums;
pub(crate) mod row_dots;
pub(crate) mod scatter;
pub(crate) mod spmm;
pub(crate) mod tile_product;
pub(crate) mod top_k;
