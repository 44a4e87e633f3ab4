//! The product of a tall matrix and a tile is a chain of fused multiplications and additions.

use crate::kernel::cpu::Cpu;
use crate::kernel::tile_product::tile_product;
use crate::matrix::CpuMatrix;

pub(super) fn is_fused_sums(cpu: Cpu) {
    let scattered = |rows: usize, columns: usize| {
        let value = |place: u32| place.wrapping_mul(2_654_435_761) as f32 / 2e9 - 1.0;
        let place = |row, column| (row * columns + column + 1) as u32;
        let values = ndarray::Array2::from_shape_fn((rows, columns), |(row, column)| {
            value(place(row, column))
        });
        CpuMatrix::from_view(values.view())
    };
    for (rows, factors, columns) in [(0, 40, 32), (5, 32, 30), (27, 70, 32)] {
        let (left, right) = (scattered(rows, factors), scattered(factors, columns));
        let before = scattered(rows, columns);
        for is_added in [false, true] {
            let mut out = before.clone();
            assert!(tile_product(cpu, &left, &right, -0.7, is_added, &mut out));
            for ((row, column), &found) in out.view().indexed_iter() {
                let factors = left.view().row(row).to_owned();
                let products = factors.iter().zip(right.view().column(column).to_owned());
                let sum = products.fold(0.0_f32, |sum, (left, right)| left.mul_add(right, sum));
                let expected = match is_added {
                    true => (-0.7_f32).mul_add(sum, before.view()[[row, column]]),
                    false => -0.7 * sum,
                };
                assert_eq!(found, expected, "{rows} x {factors} at {row}, {column}");
            }
        }
    }
}
