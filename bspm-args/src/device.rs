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
    /// Memory that the backend may take; what needs more is refused before it starts
    #[arg(long, value_name = "BYTES", alias = "device-memory")]
    memory_budget: Option<usize>,
    /// Threads, at most 1024; 0 or absent means one per core
    #[arg(long, value_parser = threads)]
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
                    let reason = error.source().map_or(error.to_string(), bspm::with_sources);
                    tell!("CUDA is not used ({reason}); the cpu backend runs instead.");
                    self.cpu()
                }
            },
            None => self.cpu(),
        }
    }

    fn cpu(&self) -> Result<Device, Box<dyn Error>> {
        let backend = match self.threads {
            Some(threads) => CpuBackend::with_threads(threads)?,
            None => CpuBackend::new(),
        };
        Ok(Device::Cpu(match self.memory_budget {
            Some(bytes) => backend.memory_budget(bytes),
            None => backend,
        }))
    }

    #[cfg(feature = "torch")]
    fn torch(&self, name: &str) -> Result<Device, Box<dyn Error>> {
        use bspm::TorchBackend;

        let device = name.parse()?;
        if let Some(threads) = self.threads.filter(|&threads| threads > 0) {
            TorchBackend::set_cpu_threads(threads);
        }
        let backend = match self.memory_budget {
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

/// At most as many threads as the CPU backend starts, whatever the device.
fn threads(text: &str) -> Result<usize, String> {
    let limit = CpuBackend::MOST_THREADS;
    let threads = text.parse().ok().filter(|&threads| threads <= limit);
    threads.ok_or_else(|| format!("expected 0 (one per core) to {limit}"))
}
