//! Keeps `libtorch_cuda` among the libraries of the binaries that this crate is in.
//!
//! libtorch finds its CUDA part at run time, by what has been loaded. Nothing refers to
//! `libtorch_cuda`, so a linker that drops unneeded libraries drops it, and CUDA looks
//! absent. A reference to one of its functions keeps it.

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
