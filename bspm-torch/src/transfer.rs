//! Copies from the host to the device.

use tch::kind::Element;
use tch::{Device, TchError, Tensor};

/// Copies the values to a tensor on the device.
///
/// Copies to a GPU are from pinned memory, so that the thread does not wait for the GPU.
pub(crate) fn to_device<T: Element>(values: &[T], device: Device) -> Result<Tensor, TchError> {
    let host = Tensor::f_from_slice(values)?;
    if device == Device::Cpu || values.is_empty() {
        return host.f_to_device(device);
    }
    // `f_pin_memory` would print a warning about the device at each call, but tch requires the device.
    let host = host.f_internal_pin_memory(device)?;
    host.f_to_device_(device, T::KIND, true, false)
}
