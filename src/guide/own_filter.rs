//! RP3beta (Paudel et al., TiiS 2017), implemented outside the library: a random walk of three steps, from
//! the user to an item of the history, to another user, and to the scored item.

use bspm::sprs::CsMatI;
use bspm::{CpuBackend, FittedFilter, Interactions, Result};

/// The power of each transition, the power of the popularity of the scored item, and the maximum number
/// of neighbours of an item.
pub(crate) struct Rp3Beta {
    pub(crate) alpha: f32,
    pub(crate) beta: f32,
    pub(crate) neighbours: usize,
}

impl Rp3Beta {
    /// Fits the filter. It supports everything that a filter of the library supports.
    pub(crate) fn fit(&self, interactions: Interactions) -> Result<FittedFilter<CpuBackend>> {
        let graph = self.graph(&interactions);
        FittedFilter::from_item_graph(CpuBackend::new(), interactions, "my-rp3beta", graph)
    }

    /// The score that each item of a history adds to the other items, `items x items`.
    pub(crate) fn graph(&self, interactions: &Interactions) -> CsMatI<f32, u32> {
        let powers = |degrees: Vec<u32>, power: f32| -> Vec<f32> {
            let power = |degree: u32| (degree.max(1) as f32).powf(-power);
            degrees.into_iter().map(power).collect()
        };
        let users = powers(interactions.user_degrees(), self.alpha);
        let from = powers(interactions.item_degrees(), self.alpha);
        let to = powers(interactions.item_degrees(), self.beta);
        let items = interactions.items();
        let users_of_item = interactions.transposed_csr();

        let (mut ends, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut sums = vec![0.0_f32; items];
        for (item, from) in from.iter().enumerate() {
            let mut touched = Vec::new();
            for &user in users_of_item
                .outer_view(item)
                .iter()
                .flat_map(|row| row.indices())
            {
                for &other in interactions.items_of(user) {
                    if sums[other as usize] == 0.0 {
                        touched.push(other);
                    }
                    sums[other as usize] += users[user as usize];
                }
            }
            let mut row: Vec<(u32, f32)> = touched
                .iter()
                .filter(|&&other| other as usize != item)
                .map(|&other| (other, sums[other as usize] * from * to[other as usize]))
                .collect();
            touched.iter().for_each(|&other| sums[other as usize] = 0.0);
            row.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
            row.truncate(self.neighbours);
            row.sort_by_key(|entry| entry.0);
            columns.extend(row.iter().map(|entry| entry.0));
            values.extend(row.iter().map(|entry| entry.1));
            ends.push(columns.len() as u32);
        }
        CsMatI::new((items, items), ends, columns, values)
    }
}
