//! The items of one user.

/// What one user interacted with: items, and how much each counts.
///
/// A slice of items is a history in which each counts 1. Weights may be negative in a history
/// that is answered for: such an item counts against what is like it.
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

    /// The items, and what each counts; without weights each counts 1.
    #[doc(hidden)]
    pub fn new(items: &'a [u32], weights: Option<&'a [f32]>) -> Self {
        Self { items, weights }
    }

    /// The same items with these weights; `None` unless there is one for each.
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

    /// What each item counts, in their order; none where each counts 1.
    pub fn weights(self) -> Option<&'a [f32]> {
        self.weights
    }

    /// Each item and what it counts.
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
