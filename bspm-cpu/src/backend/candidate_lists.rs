//! The best entries of the sum of a matrix and a product, without the whole product: products of
//! quantized factors determine the candidates for a list, and only the candidates are rescored exactly.
//!
//! Each column is processed independently, so its entries do not depend on the other columns, to the
//! last bit.

use bspm_core::backend::{ScoredItem, Select, TopK, largest};

#[cfg(target_arch = "x86_64")]
use crate::kernel::byte_products::Vnni;
use crate::kernel::byte_products::{ByteProducts, Portable};
use crate::kernel::candidates::{Candidate, FindCandidates};
use crate::kernel::cpu::{Cpu, Kernel};
use crate::kernel::row_dots::dot;
use crate::matrix::CpuMatrix;
use crate::quantized::{MOST_FACTORS, QuantizedColumns};

/// With fewer factors, the whole product is faster than the search for candidates.
const FEWEST_FACTORS: usize = 64;

/// The minimum number of items per entry of a list,
const ITEMS_FOR_A_PLACE: usize = 64;

/// and per candidate. With fewer items, the whole product is faster for the column.
const ITEMS_FOR_A_CANDIDATE: usize = 8;

/// Selects the best entries of `scores + left * right`, times `item_scale`.
#[derive(Clone, Copy, Debug)]
pub(super) struct CandidateLists<'a> {
    pub(super) cpu: Cpu,
    /// The scores of hidden items are not finite.
    pub(super) scores: &'a CpuMatrix,
    pub(super) left: &'a CpuMatrix,
    pub(super) right: &'a CpuMatrix,
    pub(super) item_scale: &'a CpuMatrix,
    /// The number of columns to select from.
    pub(super) columns: usize,
}

impl CandidateLists<'_> {
    /// The entries of each column; `None` if the whole product is faster for the column.
    pub(super) fn select(self, what: Select<'_>) -> Vec<Option<Vec<ScoredItem>>> {
        let best = |k: usize, entries: Vec<ScoredItem>| {
            let mut list = TopK::new(k);
            for entry in entries {
                list.offer(entry.item, entry.score);
            }
            list.into_sorted()
        };
        match what {
            Select::Best(lengths) => {
                let columns = self.candidates::<false>(lengths).into_iter().zip(lengths);
                let lists = columns.map(|(entries, &k)| entries.map(|entries| best(k, entries)));
                lists.collect()
            }
            Select::Largest(k) => {
                let columns = self.candidates::<true>(&vec![k; self.columns]).into_iter();
                let lists = columns.map(|entries| entries.map(|entries| largest(entries, k)));
                lists.collect()
            }
        }
    }

    /// The candidates of each column for a list of this length, with their scores.
    fn candidates<const SIGNED: bool>(self, lengths: &[usize]) -> Vec<Option<Vec<ScoredItem>>> {
        let scored = self.of_width::<SIGNED>(lengths);
        scored.unwrap_or_else(|| vec![None; self.columns])
    }

    /// Whether a list of this length is short enough for candidates.
    fn is_short(self, length: usize) -> bool {
        length.saturating_mul(ITEMS_FOR_A_PLACE) <= self.left.rows()
    }

    /// As [`candidates`](Self::candidates); `None` if the shapes make the whole product faster for every
    /// column.
    fn of_width<const SIGNED: bool>(
        self,
        lengths: &[usize],
    ) -> Option<Vec<Option<Vec<ScoredItem>>>> {
        let factors = self.left.columns();
        let is_worth_it = (FEWEST_FACTORS..=MOST_FACTORS).contains(&factors)
            && lengths.iter().any(|&length| self.is_short(length));
        if !is_worth_it {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(vnni) = Vnni::of(self.cpu) {
            return match self.scores.stride() {
                1 => self.scored::<_, 1, 1, SIGNED>(vnni, lengths),
                8 => self.scored::<_, 8, 16, SIGNED>(vnni, lengths),
                16 => self.scored::<_, 16, 16, SIGNED>(vnni, lengths),
                32 => self.scored::<_, 32, 32, SIGNED>(vnni, lengths),
                _ => None,
            };
        }
        // The speed of a single column is limited by memory traffic, and bytes take a quarter of it.
        match self.scores.stride() {
            1 => self.scored::<_, 1, 1, SIGNED>(Portable, lengths),
            _ => None,
        }
    }

    fn scored<P: ByteProducts, const WIDTH: usize, const LANES: usize, const SIGNED: bool>(
        self,
        products: P,
        lengths: &[usize],
    ) -> Option<Vec<Option<Vec<ScoredItem>>>> {
        let left = self.left.quantized();
        let right = self.right.view();
        let right: Vec<Vec<f32>> = (0..self.columns)
            .map(|column| right.column(column).to_vec())
            .collect();
        let quantized = QuantizedColumns::<LANES>::new(&right, left.stride());
        if !left.is_finite() {
            return None;
        }
        // A long list takes the whole product, and has no candidates.
        let selections = lengths.iter().map(|&length| match self.is_short(length) {
            true => TopK::new(length),
            false => TopK::new(0),
        });
        let mut least: Vec<TopK> = selections.collect();
        let mut candidates = vec![Vec::new(); self.columns];
        self.cpu.run(FindCandidates::<_, WIDTH, LANES, SIGNED> {
            products,
            left,
            right: &quantized,
            scores: self.scores.padded().as_chunks().0,
            scales: self.item_scale.padded(),
            least: &mut least,
            candidates: &mut candidates,
        });
        for (candidates, least) in candidates.iter_mut().zip(&least) {
            candidates.retain(|it| it.most >= least.threshold());
        }
        let most = self.left.rows() / ITEMS_FOR_A_CANDIDATE;
        let columns = quantized.columns.iter().zip(&mut candidates).enumerate();
        let kept = columns.map(|(place, (column, candidates))| {
            let is_zero = column.norm == 0.0;
            let is_pruned = self.is_short(lengths[place])
                && column.error.is_finite()
                && (is_zero || candidates.len() <= most);
            if is_zero || !is_pruned {
                candidates.clear();
            }
            is_pruned.then(|| {
                if is_zero {
                    self.without_product(place)
                } else {
                    Vec::new()
                }
            })
        });
        let mut scored: Vec<Option<Vec<ScoredItem>>> = kept.collect();
        self.cpu.run(ScoreCandidates {
            sums: self,
            right: &right,
            candidates: &candidates,
            scored: &mut scored,
        });
        Some(scored)
    }

    /// All items that are not hidden, for a column whose product is zero.
    fn without_product(self, column: usize) -> Vec<ScoredItem> {
        let rows = self.scores.padded().chunks_exact(self.scores.stride());
        let rows = rows.zip(self.item_scale.padded()).zip(0..);
        let entries = rows.map(|((row, scale), item)| ScoredItem {
            item,
            score: row[column] * scale,
        });
        entries.filter(|it| it.score > f32::NEG_INFINITY).collect()
    }
}

/// Scores the candidates of each column.
struct ScoreCandidates<'a> {
    sums: CandidateLists<'a>,
    right: &'a [Vec<f32>],
    candidates: &'a [Vec<Candidate>],
    /// `None` for a column that is not pruned.
    scored: &'a mut [Option<Vec<ScoredItem>>],
}

impl Kernel for ScoreCandidates<'_> {
    #[inline(always)]
    fn run(self) {
        let CandidateLists {
            scores,
            left,
            item_scale,
            ..
        } = self.sums;
        let columns = self.right.iter().zip(self.candidates).zip(self.scored);
        for (column, ((right, candidates), scored)) in columns.enumerate() {
            let Some(scored) = scored else { continue };
            for candidate in candidates {
                let item = candidate.item as usize;
                let row = &left.padded()[item * left.stride()..][..right.len()];
                let score = scores.padded()[item * scores.stride() + column];
                if score == f32::NEG_INFINITY {
                    // A hidden item has no bound, so that it is a candidate.
                    continue;
                }
                let sum = dot(row, right) + score;
                scored.push(ScoredItem {
                    item: candidate.item,
                    score: sum * item_scale.padded()[item],
                });
            }
        }
    }
}
