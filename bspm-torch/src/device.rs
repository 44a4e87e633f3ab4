//! The device, and whether it is available.

use std::fmt;
use std::str::FromStr;

use bspm_core::{Error, Result};
use nvml_wrapper::Nvml;

use crate::cuda_link;
use crate::error::TorchError;

/// The device that libtorch computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TorchDevice {
    /// libtorch's CPU device.
    Cpu,
    /// A CUDA GPU, with its number, from 0.
    Cuda(usize),
}

impl TorchDevice {
    pub(crate) fn to_tch(self) -> tch::Device {
        match self {
            Self::Cpu => tch::Device::Cpu,
            Self::Cuda(index) => tch::Device::Cuda(index),
        }
    }

    /// The free memory of the GPU, in bytes; `None` for the CPU, or if the driver does not report it. This
    /// is the minimum of all GPUs, because libtorch may number them differently.
    pub(crate) fn free_memory(self) -> Option<usize> {
        if self == Self::Cpu {
            return None;
        }
        let driver = Nvml::init().ok()?;
        (0..driver.device_count().ok()?)
            .filter_map(|index| driver.device_by_index(index).ok()?.memory_info().ok())
            .map(|memory| memory.free as usize)
            .min()
    }

    /// Checks whether the device is available.
    ///
    /// # Errors
    ///
    /// [`TorchError::NoCuda`] with the reason in one sentence.
    pub fn check(self) -> Result<(), TorchError> {
        let Self::Cuda(index) = self else {
            return Ok(());
        };
        let devices = if cuda_link::is_linked() && tch::utils::has_cuda() {
            usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
        } else {
            0
        };
        if index < devices {
            return Ok(());
        }
        let reason = if !cfg!(feature = "cuda") {
            "bspm was built without the cuda feature".into()
        } else if !cuda_link::is_linked() {
            "libtorch was built without CUDA".into()
        } else if devices == 0 {
            match Nvml::init() {
                Ok(_) => "the NVIDIA driver has no GPU that libtorch can use".into(),
                Err(_) => "no NVIDIA driver was found".into(),
            }
        } else {
            format!("the number of CUDA devices is {devices}, and they are numbered from 0")
        };
        Err(TorchError::NoCuda { index, reason })
    }
}

impl fmt::Display for TorchDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(formatter, "torch-cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
        }
    }
}

impl FromStr for TorchDevice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "torch-cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda),
        }
        .ok_or_else(|| Error::InvalidParameter {
            parameter: "device",
            expected: "torch-cpu, cuda or cuda:N".into(),
            found: format!("{text:?}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for device in [TorchDevice::Cpu, TorchDevice::Cuda(0), TorchDevice::Cuda(3)] {
            assert_eq!(device.to_string().parse::<TorchDevice>().unwrap(), device);
        }
        assert_eq!("cuda".parse::<TorchDevice>().unwrap(), TorchDevice::Cuda(0));
        assert_eq!(
            "cuda:x".parse::<TorchDevice>().unwrap_err().to_string(),
            "device: expected torch-cpu, cuda or cuda:N, found \"cuda:x\""
        );
    }

    #[test]
    fn a_gpu_that_no_machine_has_is_refused_with_a_reason() {
        let error = TorchDevice::Cuda(4096).check().unwrap_err();
        assert!(
            error.to_string().starts_with("no CUDA device 4096: "),
            "{error}"
        );
    }
}
