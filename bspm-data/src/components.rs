//! Connected components of the graph of users and items.

use super::interactions::Interactions;

/// The connected component of each item in the graph of users and items.
///
/// A filter that only follows interactions gives a score of 0 to an item in another component,
/// except for rounding errors of singular vectors that span several components.
#[derive(Debug)]
pub struct Components {
    of_item: Vec<u32>,
}

impl Components {
    /// Computes the components. Cost: little more than a pass over the interactions.
    pub fn new(interactions: &Interactions) -> Self {
        let mut of_item: Vec<u32> = (0..interactions.items() as u32).collect();
        for user in 0..interactions.users() as u32 {
            let mut items = interactions.items_of(user).iter();
            let Some(&first) = items.next() else { continue };
            for &item in items {
                let roots = (root(&mut of_item, first), root(&mut of_item, item));
                of_item[roots.0.max(roots.1) as usize] = roots.0.min(roots.1);
            }
        }
        for item in 0..of_item.len() as u32 {
            of_item[item as usize] = root(&mut of_item, item);
        }
        Self { of_item }
    }

    /// Returns the components of the items of a history, without duplicates.
    ///
    /// # Panics
    ///
    /// If an item is not a column of the matrix.
    pub fn of(&self, history: &[u32]) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for &item in history {
            let component = self.of_item[item as usize];
            if !found.contains(&component) {
                found.push(component);
            }
        }
        found
    }

    /// Returns the component of an item, which is named by its smallest item.
    ///
    /// # Panics
    ///
    /// If the item is not a column of the matrix.
    pub fn of_item(&self, item: u32) -> u32 {
        self.of_item[item as usize]
    }
}

/// Returns the smallest item that is known to be in the same component.
fn root(parents: &mut [u32], mut item: u32) -> u32 {
    while parents[item as usize] != item {
        let next = parents[item as usize];
        parents[item as usize] = parents[next as usize];
        item = parents[item as usize];
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_hang_together_through_users() {
        let pairs = [(0, 5), (0, 1), (1, 2), (1, 3), (2, 3), (3, 1), (3, 0)];
        let components = Components::new(&Interactions::from_pairs(5, 7, pairs).unwrap());
        let found: Vec<u32> = (0..7).map(|item| components.of_item(item)).collect();
        assert_eq!(found, [0, 0, 2, 2, 4, 0, 6]);
        assert_eq!(components.of(&[3, 5, 2]), [2, 0]);
        assert!(components.of(&[]).is_empty());
    }
}
