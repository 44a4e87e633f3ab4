//! Flags that choose the backend.

use std::error::Error;

use bspm::CpuBackend;
use clap::Args;

/// The device, its memory and its threads.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Device")]
pub struct DeviceArguments {
    /// Device to run on: cpu; torch-cpu (needs the torch feature); cuda or cuda:N (need the cuda
    /// feature). Default: cuda if built with the cuda feature and a GPU is available, else cpu
    #[arg(long)]
    device: Option<String>,
    /// Memory limit of the backend in bytes. An operation that needs more fails before it starts
    #[arg(long, value_name = "BYTES", alias = "device-memory")]
    memory_budget: Option<usize>,
    /// Number of threads, 0 to 1024; 0 means one per core. Default: one per core
    #[arg(long, value_parser = threads)]
    threads: Option<usize>,
}

/// A backend that is ready to use.
#[derive(Debug)]
pub enum Device {
    /// The CPU backend.
    Cpu(CpuBackend),
    /// The libtorch backend.
    #[cfg(feature = "torch")]
    Torch(bspm::TorchBackend),
}

impl DeviceArguments {
    /// Returns the backend that `--device` names. Without the flag, returns a GPU backend if the
    /// program was built with the `cuda` feature and a GPU is available, else the CPU backend.
    ///
    /// # Errors
    ///
    /// If the named device is not available, or if its threads cannot be started.
    pub fn choose(&self) -> Result<Device, Box<dyn Error>> {
        match self.device.as_deref() {
            Some("cpu") => self.cpu(),
            Some(name) => self.torch(name),
            None if cfg!(feature = "cuda") => match self.torch("cuda") {
                Ok(device) => Ok(device),
                Err(error) => {
                    let reason = error.source().map_or(error.to_string(), bspm::with_sources);
                    tell!("warning: CUDA is not available ({reason}); using the CPU instead");
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
            Some(bytes) => backend.with_memory_budget(bytes),
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
            "--device: expected cpu, found {name:?}; hint: build with --features torch for \
             torch-cpu, or with --features cuda for cuda"
        )
        .into())
    }
}

/// Parses `--threads`: at most as many threads as the CPU backend starts, for every device.
fn threads(text: &str) -> Result<usize, String> {
    let limit = CpuBackend::MOST_THREADS;
    let threads = text.parse().ok().filter(|&threads| threads <= limit);
    threads.ok_or_else(|| format!("expected a number from 0 (one per core) to {limit}"))
}
