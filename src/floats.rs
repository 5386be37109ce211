//! The numbers of tensors on the CPU, without a copy.

use tch::{Device, Kind, Tensor};

/// The elements of a contiguous f32 tensor on the CPU.
pub fn floats(tensor: &Tensor) -> &[f32] {
    assert!(is_plain(tensor), "a contiguous f32 tensor on the CPU");
    // SAFETY: libtorch keeps numel() f32 values there for as long as the tensor lives.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// The elements of a contiguous f32 tensor on the CPU, which no other tensor may share.
pub fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(is_plain(tensor), "a contiguous f32 tensor on the CPU");
    // SAFETY: as above; the caller made the tensor itself, so nothing else refers to its memory.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}

/// Whether that can be had.
pub fn is_plain(tensor: &Tensor) -> bool {
    tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous()
}
