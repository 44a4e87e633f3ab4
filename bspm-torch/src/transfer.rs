//! From the host to the device.

use tch::kind::Element;
use tch::{Device, TchError, Tensor};

/// The values as a tensor on the device.
///
/// To a GPU they go from pinned memory, so that nobody waits for what the GPU is doing.
pub(crate) fn to_device<T: Element>(values: &[T], device: Device) -> Result<Tensor, TchError> {
    let host = Tensor::f_from_slice(values)?;
    if device == Device::Cpu || values.is_empty() {
        return host.f_to_device(device);
    }
    // Without the underscore libtorch warns, each time, of the device that tch has to give.
    let host = host.f_internal_pin_memory(device)?;
    host.f_to_device_(device, T::KIND, true, false)
}
