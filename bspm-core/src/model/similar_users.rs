//! Users with similar histories.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use super::Model;
use crate::backend::{Backend, TopK};
use bspm_data::Result;
use bspm_data::parameter::check_positive;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Returns the `k` users with the most similar histories, most similar first, with their similarities: the
    /// entries of `R R^T` for the normalised matrix `R` (paper, section 3.1), in which rare items have larger
    /// weights. Users without a common item are excluded. The result does not depend on the filter; these
    /// users are the intermediate nodes of the walk `P = R^T R`.
    ///
    /// Cost: a pass over the interactions.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId);
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if `k` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> = Dataset::from_pairs([
    /// #     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "tea"), ("cid", "milk")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let alike = model.similar_users("ann", 2)?;
    /// assert_eq!((alike[0].0, alike[1].0), ("bob", "cid"));
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn similar_users<Q>(&self, user: &Q, k: usize) -> Result<Vec<(U, f32)>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        check_positive("k", k)?;
        let user = self.user_index(user)?;
        let interactions = self.dataset.interactions();
        let (users, items) = (interactions.user_sums(), interactions.item_sums());
        let mut weights = vec![0.0; interactions.items()];
        for (item, weight) in interactions.history_of(user).entries() {
            weights[item as usize] = f64::from(weight) / items[item as usize];
        }
        let mut best = TopK::new(k);
        for other in (0..interactions.users() as u32).filter(|&other| other != user) {
            let history = interactions.history_of(other).entries();
            let parts = history.map(|(item, weight)| f64::from(weight) * weights[item as usize]);
            let sum: f64 = parts.sum();
            if sum > 0.0 {
                let degrees = users[user as usize] * users[other as usize];
                best.offer(other, (sum / degrees.sqrt()) as f32);
            }
        }
        let ids = self.dataset.users();
        let named = best.into_sorted().into_iter();
        Ok(named
            .filter_map(|entry| Some((ids.id(entry.item)?.clone(), entry.score)))
            .collect())
    }
}
