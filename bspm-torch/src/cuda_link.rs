//! Keeps `libtorch_cuda` in the linked libraries of binaries that use this crate.
//!
//! libtorch looks for its CUDA part at run time, among the loaded libraries. Nothing refers to
//! `libtorch_cuda`, so a linker that removes unneeded libraries removes it, and libtorch does not find
//! CUDA. A reference to one of its functions prevents this.

#[cfg(bspm_torch_cuda_linked)]
unsafe extern "C" {
    /// `at::cuda::warp_size()`; only its address is taken.
    #[link_name = "_ZN2at4cuda9warp_sizeEv"]
    fn warp_size() -> i32;
}

/// Whether `libtorch_cuda` is linked.
pub(crate) fn is_linked() -> bool {
    #[cfg(bspm_torch_cuda_linked)]
    {
        !std::hint::black_box(warp_size as *const ()).is_null()
    }
    #[cfg(not(bspm_torch_cuda_linked))]
    {
        false
    }
}
