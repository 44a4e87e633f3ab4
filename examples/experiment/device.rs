//! Which backend runs.

use std::error::Error;

use bspm::CpuBackend;

use super::arguments::Arguments;

/// A backend, made.
pub(crate) enum Device {
    Cpu(CpuBackend),
    #[cfg(feature = "torch")]
    Torch(bspm::TorchBackend),
}

/// The backend that `--device` names, else a GPU where the program was built for one
/// and there is one, else the CPU.
pub(crate) fn choose(arguments: &Arguments) -> Result<Device, Box<dyn Error>> {
    match arguments.device.as_deref() {
        Some("cpu") => cpu(arguments),
        Some(name) => torch(name, arguments),
        None if cfg!(feature = "cuda") => match torch("cuda", arguments) {
            Ok(device) => Ok(device),
            Err(error) => {
                let reason = error
                    .source()
                    .map_or(error.to_string(), ToString::to_string);
                eprintln!("CUDA is not used ({reason}); the cpu backend runs instead.");
                cpu(arguments)
            }
        },
        None => cpu(arguments),
    }
}

fn cpu(arguments: &Arguments) -> Result<Device, Box<dyn Error>> {
    Ok(Device::Cpu(match arguments.threads {
        Some(threads) => CpuBackend::with_threads(threads)?,
        None => CpuBackend::new(),
    }))
}

#[cfg(feature = "torch")]
fn torch(name: &str, arguments: &Arguments) -> Result<Device, Box<dyn Error>> {
    use bspm::TorchBackend;

    let device = name.parse()?;
    if let Some(threads) = arguments.threads.filter(|&threads| threads > 0) {
        TorchBackend::set_cpu_threads(threads);
    }
    let backend = match arguments.device_memory {
        Some(bytes) => TorchBackend::with_memory_budget(device, bytes)?,
        None => TorchBackend::new(device)?,
    };
    Ok(Device::Torch(backend))
}

#[cfg(not(feature = "torch"))]
fn torch(name: &str, _arguments: &Arguments) -> Result<Device, Box<dyn Error>> {
    Err(format!(
        "device {name:?} needs libtorch: build with --features torch, or with --features cuda"
    )
    .into())
}
