//! Which backend runs.

use std::error::Error;

use bspm::CpuBackend;
use clap::Args;

/// The device, its memory and its threads.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Device")]
pub struct DeviceArguments {
    /// cpu; with the torch feature torch-cpu; with the cuda feature cuda or cuda:N
    #[arg(long)]
    device: Option<String>,
    /// Device memory that the libtorch backend may take
    #[arg(long, value_name = "BYTES")]
    device_memory: Option<usize>,
    /// Threads; 0 or absent means one per core
    #[arg(long)]
    threads: Option<usize>,
}

/// A backend, made.
#[derive(Debug)]
pub enum Device {
    /// The CPU backend.
    Cpu(CpuBackend),
    /// The libtorch backend.
    #[cfg(feature = "torch")]
    Torch(bspm::TorchBackend),
}

impl DeviceArguments {
    /// The backend that `--device` names, else a GPU where the program was built for one
    /// and there is one, else the CPU.
    ///
    /// # Errors
    ///
    /// Why a device that was named cannot be had, or its threads cannot be started.
    pub fn choose(&self) -> Result<Device, Box<dyn Error>> {
        match self.device.as_deref() {
            Some("cpu") => self.cpu(),
            Some(name) => self.torch(name),
            None if cfg!(feature = "cuda") => match self.torch("cuda") {
                Ok(device) => Ok(device),
                Err(error) => {
                    let reason = error
                        .source()
                        .map_or(error.to_string(), ToString::to_string);
                    eprintln!("CUDA is not used ({reason}); the cpu backend runs instead.");
                    self.cpu()
                }
            },
            None => self.cpu(),
        }
    }

    fn cpu(&self) -> Result<Device, Box<dyn Error>> {
        Ok(Device::Cpu(match self.threads {
            Some(threads) => CpuBackend::with_threads(threads)?,
            None => CpuBackend::new(),
        }))
    }

    #[cfg(feature = "torch")]
    fn torch(&self, name: &str) -> Result<Device, Box<dyn Error>> {
        use bspm::TorchBackend;

        let device = name.parse()?;
        if let Some(threads) = self.threads.filter(|&threads| threads > 0) {
            TorchBackend::set_cpu_threads(threads);
        }
        let backend = match self.device_memory {
            Some(bytes) => TorchBackend::with_memory_budget(device, bytes)?,
            None => TorchBackend::new(device)?,
        };
        Ok(Device::Torch(backend))
    }

    #[cfg(not(feature = "torch"))]
    fn torch(&self, name: &str) -> Result<Device, Box<dyn Error>> {
        Err(format!(
            "device {name:?} needs libtorch: build with --features torch, or with --features cuda"
        )
        .into())
    }
}
