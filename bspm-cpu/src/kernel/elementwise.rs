//! Elementwise operations on dense matrices.

use super::cpu::Kernel;

/// `out = scale * addend + keep * out`.
pub(crate) struct AddScaled<'a> {
    pub(crate) scale: f32,
    pub(crate) addend: &'a [f32],
    pub(crate) keep: f32,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for AddScaled<'_> {
    #[inline(always)]
    fn run(self) {
        let pairs = self.out.iter_mut().zip(self.addend);
        if self.keep == 0.0 {
            pairs.for_each(|(out, addend)| *out = self.scale * addend);
        } else {
            pairs.for_each(|(out, addend)| *out = self.scale * addend + self.keep * *out);
        }
    }
}

/// Multiplies each row, of `stride` values, by its scale.
pub(crate) struct ScaleRows<'a> {
    pub(crate) scales: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for ScaleRows<'_> {
    #[inline(always)]
    fn run(self) {
        let rows = self.out.chunks_exact_mut(self.stride.max(1));
        for (row, scale) in rows.zip(self.scales) {
            row.iter_mut().for_each(|value| *value *= scale);
        }
    }
}
