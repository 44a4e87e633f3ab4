//! Products of bytes are exact.

#[cfg(target_arch = "x86_64")]
use crate::kernel::byte_products::Vnni;
use crate::kernel::byte_products::{ByteProducts, Portable};
use crate::kernel::cpu::Cpu;
use crate::quantized::ROWS;

fn scattered(count: usize) -> impl Iterator<Item = u8> {
    (1..=count as u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8)
}

fn assert_right<const LANES: usize>(kernel: impl ByteProducts) {
    for stride in [64, 448] {
        let rows: Vec<i8> = scattered(ROWS * stride)
            .map(|byte| (byte as i8).max(-127))
            .collect();
        let columns: Vec<u8> = scattered(LANES * stride).collect();
        let expected: Vec<i32> = (0..ROWS * LANES)
            .map(|place| {
                let (row, lane) = (place / LANES, place % LANES);
                let term = |factor: usize| {
                    let column = columns[(factor / 4 * LANES + lane) * 4 + factor % 4];
                    i32::from(rows[row * stride + factor]) * i32::from(column)
                };
                (0..stride).map(term).sum()
            })
            .collect();
        let mut sums = [[7; LANES]; ROWS];
        kernel.products(&rows, &columns, &mut sums);
        assert_eq!(sums.as_flattened(), expected, "{LANES} {stride}");
    }
}

pub(super) fn are_exact(cpu: Cpu) {
    #[cfg(target_arch = "x86_64")]
    if let Some(vnni) = Vnni::of(cpu) {
        return assert_right_at_every_width(vnni);
    }
    assert_eq!(cpu, Cpu::PORTABLE);
    assert_right_at_every_width(Portable);
}

fn assert_right_at_every_width(kernel: impl ByteProducts) {
    assert_right::<1>(kernel);
    assert_right::<16>(kernel);
    assert_right::<32>(kernel);
}
