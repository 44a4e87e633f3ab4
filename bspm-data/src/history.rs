//! The history of a user.

/// The history of a user: items and their weights.
///
/// A slice of items is a history in which each item has weight 1. In the history of a query, weights
/// may be negative: such an item lowers the scores of similar items.
///
/// # Examples
///
/// ```
/// use bspm_data::History;
///
/// let history = History::from(&[3, 4]).weighted(&[1.0, -0.5]).unwrap();
/// assert_eq!(history.entries().collect::<Vec<_>>(), [(3, 1.0), (4, -0.5)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct History<'a> {
    items: &'a [u32],
    weights: Option<&'a [f32]>,
}

impl<'a> History<'a> {
    /// A history without items.
    pub const EMPTY: Self = Self {
        items: &[],
        weights: None,
    };

    /// Creates a history of items and their weights; without weights, each item has weight 1.
    #[doc(hidden)]
    pub fn new(items: &'a [u32], weights: Option<&'a [f32]>) -> Self {
        Self { items, weights }
    }

    /// Returns the same items with these weights; `None` unless there is one weight per item.
    pub fn weighted(self, weights: &'a [f32]) -> Option<Self> {
        (weights.len() == self.items.len()).then_some(Self {
            items: self.items,
            weights: Some(weights),
        })
    }

    /// The items.
    pub fn items(self) -> &'a [u32] {
        self.items
    }

    /// The weights of the items, in the same order; `None` if all are 1.
    pub fn weights(self) -> Option<&'a [f32]> {
        self.weights
    }

    /// The items and their weights.
    pub fn entries(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        let weights = self.weights;
        let weight = move |place: usize| weights.map_or(1.0, |weights| weights[place]);
        self.items
            .iter()
            .enumerate()
            .map(move |(place, &item)| (item, weight(place)))
    }
}

impl<'a> From<&'a [u32]> for History<'a> {
    fn from(items: &'a [u32]) -> Self {
        Self::new(items, None)
    }
}

impl<'a, const N: usize> From<&'a [u32; N]> for History<'a> {
    fn from(items: &'a [u32; N]) -> Self {
        Self::new(items, None)
    }
}

impl<'a> From<&'a Vec<u32>> for History<'a> {
    fn from(items: &'a Vec<u32>) -> Self {
        Self::new(items, None)
    }
}

impl<'a> From<&History<'a>> for History<'a> {
    fn from(history: &History<'a>) -> Self {
        *history
    }
}
