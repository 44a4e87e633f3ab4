//! A column of an item table.

use crate::error::Result;
use crate::parameter::invalid;

/// The type of the values of an [`ItemColumn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ItemColumnKind {
    /// Texts.
    Text,
    /// Finite numbers.
    Number,
    /// True or false.
    Boolean,
}

impl ItemColumnKind {
    /// The name of the kind: `text`, `number` or `boolean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// The value of an item in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ItemValue<'t> {
    /// A text, which is not empty.
    Text(&'t str),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl ItemValue<'_> {
    /// Returns the type of the value.
    pub fn kind(self) -> ItemColumnKind {
        match self {
            Self::Text(_) => ItemColumnKind::Text,
            Self::Number(_) => ItemColumnKind::Number,
            Self::Boolean(_) => ItemColumnKind::Boolean,
        }
    }
}

/// The text, the number, `true` or `false`.
impl std::fmt::Display for ItemValue<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => text.fmt(out),
            Self::Number(number) => number.fmt(out),
            Self::Boolean(boolean) => boolean.fmt(out),
        }
    }
}

/// A column of an [`ItemTable`](crate::ItemTable): a name, and an optional value for each item.
///
/// Memory per item: 8 bytes plus the text in a column of texts, 8 bytes in a column of numbers, and 1
/// byte in a column of booleans. All texts of a column are stored in one buffer.
///
/// # Examples
///
/// ```
/// use bspm_data::{ItemColumn, ItemValue};
///
/// let price = ItemColumn::numbers("price", [2.5, f64::NAN]);
/// assert_eq!(price.value(0), Some(ItemValue::Number(2.5)));
/// assert_eq!(price.value(1), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ItemColumn {
    name: String,
    values: ItemValues,
}

/// The values of a column. A missing value is an empty text, NaN or `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ItemValues {
    /// Texts.
    Text(Texts),
    /// Numbers.
    Number(Vec<f64>),
    /// Booleans.
    Boolean(Vec<Option<bool>>),
}

/// Numbers are compared by their bits, so that missing values are equal.
impl PartialEq for ItemValues {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => {
                let bits =
                    |numbers: &[f64]| numbers.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
                left.len() == right.len() && bits(left) == bits(right)
            }
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            _ => false,
        }
    }
}

/// Texts in one buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    text: String,
    /// The end of each text in the buffer, after a leading 0.
    ends: Vec<u64>,
}

/// No texts.
impl Default for Texts {
    fn default() -> Self {
        Self {
            text: String::new(),
            ends: vec![0],
        }
    }
}

impl Texts {
    /// Creates the texts of a buffer from their ends, after a leading 0. Returns `None` if the ends are
    /// not ascending, are within a character, or do not cover the buffer.
    pub fn from_parts(text: String, ends: Vec<u64>) -> Option<Self> {
        let is_end = |pair: &[u64]| {
            let end = usize::try_from(pair[1]).ok();
            pair[0] <= pair[1] && end.is_some_and(|end| text.is_char_boundary(end))
        };
        let is_whole = ends.first() == Some(&0) && ends.last() == Some(&(text.len() as u64));
        (is_whole && ends.windows(2).all(is_end)).then_some(Self { text, ends })
    }

    /// The buffer of all texts.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The end of each text in [`text`](Self::text), after a leading 0: one more number than texts.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text at an index; `None` if the index is out of range.
    pub fn get(&self, place: usize) -> Option<&str> {
        let (start, end) = (*self.ends.get(place)?, *self.ends.get(place + 1)?);
        self.text.get(start as usize..end as usize)
    }

    /// Adds a text at the end.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
    }

    /// Releases unused memory.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'t> FromIterator<&'t str> for Texts {
    fn from_iter<T: IntoIterator<Item = &'t str>>(texts: T) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text));
        all.shrink();
        all
    }
}

impl ItemColumn {
    /// Creates a column of texts, in the order of the items. `None` and empty texts are missing values.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::ItemColumn;
    ///
    /// let brand = ItemColumn::texts("brand", [Some("Assam"), None]);
    /// assert_eq!((brand.name(), brand.len(), brand.text(1)), ("brand", 2, None));
    /// ```
    pub fn texts<'t>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<Option<&'t str>>>,
    ) -> Self {
        let values = values.into_iter().map(|it| it.into().unwrap_or_default());
        Self {
            name: name.into(),
            values: ItemValues::Text(values.collect()),
        }
    }

    /// Creates a column of numbers, in the order of the items. Numbers that are not finite are missing
    /// values.
    pub fn numbers(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter();
        let values = values.map(|it| if it.is_finite() { it } else { f64::NAN });
        Self {
            name: name.into(),
            values: ItemValues::Number(values.collect()),
        }
    }

    /// Creates a column of booleans, in the order of the items.
    pub fn booleans(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<Option<bool>>>,
    ) -> Self {
        Self {
            name: name.into(),
            values: ItemValues::Boolean(values.into_iter().map(Into::into).collect()),
        }
    }

    /// Creates a column of these values.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a number is infinite.
    pub fn from_values(name: impl Into<String>, values: ItemValues) -> Result<Self> {
        if let ItemValues::Number(numbers) = &values
            && let Some(number) = numbers.iter().find(|it| it.is_infinite())
        {
            return Err(invalid("items", "finite numbers, or NaN", number));
        }
        let name = name.into();
        Ok(Self { name, values })
    }

    /// The name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All values.
    pub fn values(&self) -> &ItemValues {
        &self.values
    }

    /// The type of the values.
    pub fn kind(&self) -> ItemColumnKind {
        match self.values {
            ItemValues::Text(_) => ItemColumnKind::Text,
            ItemValues::Number(_) => ItemColumnKind::Number,
            ItemValues::Boolean(_) => ItemColumnKind::Boolean,
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            ItemValues::Text(texts) => texts.len(),
            ItemValues::Number(numbers) => numbers.len(),
            ItemValues::Boolean(booleans) => booleans.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a row, from 0; `None` if it is missing.
    pub fn value(&self, row: usize) -> Option<ItemValue<'_>> {
        match &self.values {
            ItemValues::Text(_) => self.text(row).map(ItemValue::Text),
            ItemValues::Number(numbers) => {
                let number = numbers.get(row).copied().filter(|it| !it.is_nan());
                number.map(ItemValue::Number)
            }
            ItemValues::Boolean(booleans) => (*booleans.get(row)?).map(ItemValue::Boolean),
        }
    }

    /// The text in a row, from 0; `None` if it is missing, or if the column has another type.
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.values {
            ItemValues::Text(texts) => texts.get(row).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// Returns the values of these rows, in that order; `None` gives a missing value.
    pub(super) fn select(&self, rows: &[Option<u32>]) -> Self {
        let rows = rows.iter().map(|row| row.map(|row| row as usize));
        let values = match &self.values {
            ItemValues::Text(texts) => {
                let texts = rows.map(|row| row.and_then(|row| texts.get(row)).unwrap_or_default());
                ItemValues::Text(texts.collect())
            }
            ItemValues::Number(numbers) => {
                let number = |row: usize| numbers.get(row).copied();
                let numbers = rows.map(|row| row.and_then(number).unwrap_or(f64::NAN));
                ItemValues::Number(numbers.collect())
            }
            ItemValues::Boolean(booleans) => {
                let boolean = |row: usize| booleans.get(row).copied().flatten();
                ItemValues::Boolean(rows.map(|row| row.and_then(boolean)).collect())
            }
        };
        Self {
            name: self.name.clone(),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_between_the_ends() {
        let texts: Texts = ["é", "", "ab"].into_iter().collect();
        assert_eq!((texts.text(), texts.ends()), ("éab", &[0, 2, 2, 4][..]));
        assert_eq!(
            [texts.get(0), texts.get(2), texts.get(3)],
            [Some("é"), Some("ab"), None]
        );
        let of = |ends: &[u64]| Texts::from_parts("éab".into(), ends.to_vec());
        assert_eq!(of(&[0, 2, 2, 4]), Some(texts));
        for wrong in [
            &[][..],
            &[0],
            &[0, 1, 4],
            &[0, 3, 2, 4],
            &[0, 5, 4],
            &[2, 4],
            &[0, u64::MAX],
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn missing_values_are_none_and_equal() {
        let columns = [
            ItemColumn::texts("text", ["a", ""]),
            ItemColumn::numbers("number", [1.0, f64::INFINITY]),
            ItemColumn::booleans("boolean", [Some(true), None]),
        ];
        for column in columns {
            assert!(column.value(0).is_some() && column.value(1).is_none());
            assert_eq!(column.value(2), None);
            assert_eq!(column.select(&[Some(0), Some(1)]), column);
            let moved = column.select(&[None, Some(0), Some(9)]);
            assert_eq!((moved.value(0), moved.value(1)), (None, column.value(0)));
            assert_eq!((moved.len(), moved.value(2)), (3, None));
        }
        let infinite = ItemValues::Number(vec![f64::INFINITY]);
        assert!(ItemColumn::from_values("price", infinite).is_err());
    }
}
