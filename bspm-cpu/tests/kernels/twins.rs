//! Every kernel gives the same bits with every instruction set.

use bspm_core::backend::{Combination, SparseParts, TopK, Update};
use sprs::CsMatI;

#[cfg(target_arch = "x86_64")]
use crate::kernel::byte_products::Vnni;
use crate::kernel::byte_products::{ByteProducts, Portable};
use crate::kernel::candidates::{Candidate, FindCandidates};
use crate::kernel::cpu::Cpu;
use crate::kernel::elementwise::{AddScaled, ScaleRows};
use crate::kernel::ranks_of_sums::RanksOfSums;
use crate::kernel::row_dots::RowDots;
use crate::kernel::scatter::Scatter;
use crate::kernel::spmm;
use crate::kernel::top_k::SelectTop;
use crate::matrix::CpuMatrix;
use crate::quantized::{QuantizedColumns, QuantizedRows};
use crate::sparse::{CpuSparse, Kind};

/// Numbers without a pattern that could hide a wrong index.
fn scattered(count: usize) -> impl Iterator<Item = f32> {
    (1..=count as u32).map(|place| place.wrapping_mul(2_654_435_761) as f32 / 2e9 - 1.0)
}

fn matrix(rows: usize, columns: usize) -> CpuMatrix {
    let values = scattered(rows * columns).collect();
    let values = ndarray::Array2::from_shape_vec((rows, columns), values).unwrap();
    CpuMatrix::from_view(values.view())
}

fn assert_twins<T: PartialEq + std::fmt::Debug>(cpu: Cpu, run: impl Fn(Cpu) -> T) {
    assert_eq!(run(cpu), run(Cpu::PORTABLE));
}

pub(super) fn spmm(cpu: Cpu) {
    let (rows, items) = (23, 19);
    let lists: Vec<Vec<u32>> = (0..rows)
        .map(|row| {
            (0..items)
                .filter(|item| (row * item) % 5 < row % 4)
                .collect()
        })
        .collect();
    let mut ends = vec![0];
    ends.extend(lists.iter().scan(0, |end, list| {
        *end += list.len() as u32;
        Some(*end)
    }));
    let columns = lists.concat();
    let ones = vec![(); columns.len()];
    let pattern = CsMatI::new((rows as usize, items as usize), ends, columns, ones);
    let transposed = pattern.to_other_storage().transpose_into();
    let scale: Vec<f32> = scattered(rows as usize).collect();
    let weights: Vec<f32> = scattered(pattern.nnz()).map(f32::abs).collect();
    for weights in [None, Some((weights.as_slice(), weights.as_slice()))] {
        let graph = CpuSparse::new(SparseParts::Walk {
            user_items: pattern.view(),
            item_users: transposed.view(),
            user_scale: &scale,
            item_scale: &scale[..items as usize],
            weights,
        });
        let Kind::Walk(walk) = graph.kind() else {
            panic!("a walk")
        };
        for columns in [1, 5, 16, 32, 40] {
            let (dense, addend) = (
                matrix(items as usize, columns),
                matrix(rows as usize, columns),
            );
            assert_twins(cpu, |cpu| {
                let mut out = matrix(rows as usize, columns);
                let update = Update {
                    product: 0.7,
                    keep: -0.3,
                    addend: Some((1.1, &addend)),
                };
                spmm::spmm(cpu, &walk.to_users, &dense, update, &mut out);
                out.to_array()
            });
        }
    }
}

pub(super) fn elementwise(cpu: Cpu) {
    for length in [0, 1, 15, 16, 1000] {
        let addend: Vec<f32> = scattered(length).collect();
        for keep in [0.0, 0.3] {
            assert_twins(cpu, |cpu| {
                let mut out: Vec<f32> = scattered(length).map(|value| value * 3.0).collect();
                cpu.run(AddScaled {
                    scale: 0.9,
                    addend: &addend,
                    keep,
                    out: &mut out,
                });
                out
            });
        }
        assert_twins(cpu, |cpu| {
            let mut out: Vec<f32> = scattered(length * 8).collect();
            cpu.run(ScaleRows {
                scales: &addend,
                stride: 8,
                out: &mut out,
            });
            out
        });
    }
}

pub(super) fn ranks_of_sums(cpu: Cpu) {
    let matrices = [0, 1, 2].map(|place| {
        let values = scattered((place + 1) * 300 * 32)
            .skip(place * 300 * 32)
            .collect();
        let values = ndarray::Array2::from_shape_vec((300, 32), values).unwrap();
        CpuMatrix::from_view(values.view())
    });
    let basis = [0, 1, 2].map(|place| matrices[place].padded().as_chunks::<32>().0);
    let combinations = [
        Combination {
            plain: vec![(0, 0.5), (1, -0.3)],
            scaled: vec![(2, 1.5)],
            scales: vec![0.0, 0.7],
        },
        Combination {
            plain: vec![(2, 1.0)],
            scaled: Vec::new(),
            scales: vec![1.0],
        },
    ];
    let scales: Vec<f32> = scattered(300).map(|scale| scale.abs() + 0.1).collect();
    let hidden: Vec<u32> = (0..300).step_by(5).collect();
    let items: Vec<u32> = (0..300).step_by(7).collect();
    assert_twins(cpu, |cpu| {
        let mut ranks = Vec::new();
        cpu.run(RanksOfSums::<32> {
            basis: &basis,
            combinations: &combinations,
            scales: &scales,
            hidden: &[&hidden[..]; 30],
            items: &[&items[..]; 30],
            within: 9,
            ranks: &mut ranks,
        });
        assert!(ranks.iter().flatten().any(|it| it.len() > 1));
        ranks
    });
}

pub(super) fn candidates(cpu: Cpu) {
    let (left, scores) = (matrix(300, 90), matrix(300, 32));
    let left = QuantizedRows::new(left.view());
    let columns: Vec<Vec<f32>> = (1..=30)
        .map(|column| scattered(90 * column).skip(90 * (column - 1)).collect())
        .collect();
    let right = QuantizedColumns::<32>::new(&columns, left.stride());
    let scales: Vec<f32> = scattered(300).map(|scale| scale.abs() + 0.1).collect();
    let operands = (&left, &right, &scores, scales.as_slice());
    for find in [candidates_of::<false>, candidates_of::<true>] {
        let found = find(Cpu::PORTABLE, operands);
        assert!(found.iter().all(|it| it.len() >= 5 && it.len() < 300));
        assert_twins(cpu, |cpu| find(cpu, operands));
    }
}

fn candidates_of<const SIGNED: bool>(
    cpu: Cpu,
    operands: (&QuantizedRows, &QuantizedColumns<32>, &CpuMatrix, &[f32]),
) -> Vec<Vec<Candidate>> {
    #[cfg(target_arch = "x86_64")]
    if let Some(vnni) = Vnni::of(cpu) {
        return candidates_by::<_, SIGNED>(vnni, cpu, operands);
    }
    candidates_by::<_, SIGNED>(Portable, cpu, operands)
}

fn candidates_by<P: ByteProducts, const SIGNED: bool>(
    products: P,
    cpu: Cpu,
    (left, right, scores, scales): (&QuantizedRows, &QuantizedColumns<32>, &CpuMatrix, &[f32]),
) -> Vec<Vec<Candidate>> {
    let mut least = vec![TopK::new(5); 30];
    let mut candidates = vec![Vec::new(); 30];
    cpu.run(FindCandidates::<_, 32, 32, SIGNED> {
        products,
        left,
        right,
        scores: scores.padded().as_chunks().0,
        scales,
        least: &mut least,
        candidates: &mut candidates,
    });
    candidates
}

pub(super) fn scatter(cpu: Cpu) {
    let mut entries = sprs::TriMatI::new((30, 30));
    for (place, weight) in scattered(200).enumerate() {
        entries.add_triplet(place * 7 % 30, place * 11 % 30, weight);
    }
    let graph = entries.to_csr();
    for columns in [1, 8, 32, 40] {
        let dense = matrix(30, columns);
        for is_transposed in [false, true] {
            assert_twins(cpu, |cpu| {
                let mut out = matrix(30, columns);
                cpu.run(Scatter {
                    graph: &graph,
                    is_transposed,
                    factor: 0.8,
                    dense: dense.padded(),
                    stride: dense.stride(),
                    out: out.padded_mut(),
                });
                out.to_array()
            });
        }
    }
}

/// They are also the dot products.
pub(super) fn row_dots(cpu: Cpu) {
    for (rows, columns) in [(0, 3), (5, 1), (7, 63), (9, 64), (20, 448), (3, 161)] {
        let left = matrix(rows, columns);
        let column: Vec<f32> = scattered(columns).collect();
        for keep in [0.0, 0.4] {
            let run = |cpu: Cpu| {
                let mut out: Vec<f32> = scattered(rows).collect();
                cpu.run(RowDots {
                    matrix: left.padded(),
                    stride: left.stride(),
                    column: &column,
                    product: 0.7,
                    keep,
                    out: &mut out,
                });
                out
            };
            assert_twins(cpu, run);
            let before = scattered(rows);
            for ((row, found), before) in left.view().rows().into_iter().zip(run(cpu)).zip(before) {
                let dot: f64 = row
                    .iter()
                    .zip(&column)
                    .map(|(l, r)| f64::from(*l) * f64::from(*r))
                    .sum();
                let expected = 0.7 * dot + f64::from(keep) * f64::from(before);
                let error = (f64::from(found) - expected).abs();
                assert!(error < 1e-5 * columns as f64, "{found} {expected}");
            }
        }
    }
}

pub(super) fn top_k(cpu: Cpu) {
    let scores = matrix(300, 32);
    let scales: Vec<f32> = scattered(300).map(|scale| scale.abs() + 0.1).collect();
    assert_twins(cpu, |cpu| {
        let mut selections = vec![TopK::new(9); 30];
        cpu.run(SelectTop::<32> {
            scores: scores.padded().as_chunks().0,
            blocks: 1,
            block: 0,
            scales: &scales,
            selections: &mut selections,
        });
        selections
            .into_iter()
            .map(TopK::into_sorted)
            .collect::<Vec<_>>()
    });
}
