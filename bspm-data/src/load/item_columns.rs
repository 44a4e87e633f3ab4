//! Columns of an item table while they are read. Their types are known at the end.

use super::id_text::NullValues;
use super::rows::{boolean_of, parse_number};
use crate::error::Result;
use crate::item_table::{ItemColumn, ItemValues, Texts};

/// A value of an item, as read from the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'t> {
    /// A missing value.
    Missing,
    /// A text, even if it looks like a number.
    Text(&'t str),
    /// A number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// A text from an untyped source, such as CSV.
    Untyped(&'t str),
}

/// The values of a column as text, and the types that they may have.
#[derive(Debug)]
pub(super) struct ColumnCells {
    texts: Texts,
    may_be_numbers: bool,
    may_be_booleans: bool,
    has_values: bool,
    /// Whether one of the texts means a missing value.
    has_missing_texts: bool,
}

impl ColumnCells {
    /// Returns a column of missing values.
    pub(super) fn of_missing(rows: usize) -> Self {
        let mut texts = Texts::default();
        (0..rows).for_each(|_| texts.push(""));
        Self {
            texts,
            may_be_numbers: true,
            may_be_booleans: true,
            has_values: false,
            has_missing_texts: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn push(&mut self, cell: Cell<'_>, missing: &NullValues<'_>, decimal_comma: bool) {
        let (text, is_number, is_boolean) = match cell {
            Cell::Missing => return self.texts.push(""),
            Cell::Number(number) if number.is_nan() => return self.texts.push(""),
            Cell::Text(text) | Cell::Untyped(text) if text.trim().is_empty() => {
                return self.texts.push("");
            }
            Cell::Number(number) => {
                let text = match decimal_comma {
                    true => number.to_string().replace('.', ","),
                    false => number.to_string(),
                };
                self.add(&text, number.is_finite(), false);
                return;
            }
            Cell::Boolean(boolean) => (if boolean { "true" } else { "false" }, false, true),
            Cell::Text(text) => (text, false, false),
            Cell::Untyped(text) if missing.contains(text) => {
                self.has_missing_texts = true;
                return self.texts.push(text);
            }
            Cell::Untyped(text) => {
                let is_number = self.may_be_numbers && number_of(text, decimal_comma).is_some();
                (text, is_number, boolean_of(text).is_some())
            }
        };
        self.add(text, is_number, is_boolean);
    }

    fn add(&mut self, text: &str, is_number: bool, is_boolean: bool) {
        self.has_values = true;
        self.may_be_numbers &= is_number;
        self.may_be_booleans &= is_boolean;
        self.texts.push(text);
    }

    /// Returns the column. The title column has texts, and only an empty title is missing.
    pub(super) fn finish(
        mut self,
        name: String,
        is_title: bool,
        missing: &NullValues<'_>,
        decimal_comma: bool,
    ) -> Result<ItemColumn> {
        if self.has_missing_texts && !is_title {
            let texts = (0..self.texts.len()).filter_map(|row| self.texts.get(row));
            let kept = texts.map(|text| if missing.contains(text) { "" } else { text });
            self.texts = kept.collect();
        }
        let texts = (0..self.texts.len()).filter_map(|row| self.texts.get(row));
        let values = if !is_title && self.has_values && self.may_be_numbers {
            let numbers = texts.map(|text| parse_number(text.trim(), decimal_comma));
            ItemValues::Number(numbers.map(|number| number.unwrap_or(f64::NAN)).collect())
        } else if !is_title && self.has_values && self.may_be_booleans {
            ItemValues::Boolean(texts.map(boolean_of).collect())
        } else {
            self.texts.shrink();
            ItemValues::Text(self.texts)
        };
        ItemColumn::from_values(name, values)
    }
}

/// The number of decimal digits that a double represents exactly.
const MOST_DIGITS: usize = 15;

/// Parses a number. Returns `None` for codes: numbers with leading zeros, or with more digits than a
/// double represents exactly.
fn number_of(text: &str, decimal_comma: bool) -> Option<f64> {
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+']);
    let is_code = digits.len() > 1
        && digits.starts_with('0')
        && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let is_whole = count == digits.len();
    if is_code || (is_whole && count > MOST_DIGITS) {
        return None;
    }
    parse_number(text, decimal_comma).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item_table::{ItemColumnKind, ItemValue};
    use crate::load::options::TableOptions;

    fn column(cells: &[Cell<'_>], is_title: bool, decimal_comma: bool) -> ItemColumn {
        let options = TableOptions::default();
        let missing = NullValues::new(&options);
        let mut column = ColumnCells::of_missing(1);
        for &cell in cells {
            column.push(cell, &missing, decimal_comma);
        }
        assert_eq!(column.len(), cells.len() + 1);
        column
            .finish("x".into(), is_title, &missing, decimal_comma)
            .unwrap()
    }

    #[test]
    fn the_kind_of_a_column_is_that_of_all_of_its_values() {
        use Cell::{Boolean, Missing, Number, Text, Untyped};
        use ItemColumnKind as Kind;
        for (cells, kind) in [
            (
                &[Untyped("1.5"), Untyped(" -2e3 "), Untyped("")][..],
                Kind::Number,
            ),
            (&[Untyped("1"), Untyped("NaN")], Kind::Number),
            (&[Untyped("1"), Untyped("x")], Kind::Text),
            (&[Untyped("0"), Untyped("0.5")], Kind::Number),
            (&[Untyped("007"), Untyped("8")], Kind::Text),
            (&[Untyped("9007199254740993")], Kind::Text),
            (&[Untyped("inf")], Kind::Text),
            (
                &[Untyped("True"), Untyped("false"), Untyped("null")],
                Kind::Boolean,
            ),
            (&[Untyped("true"), Untyped("1")], Kind::Text),
            (&[Text("1"), Missing], Kind::Text),
            (&[Number(1.0), Number(f64::NAN)], Kind::Number),
            (&[Number(1.0), Text("x")], Kind::Text),
            (&[Boolean(true), Missing], Kind::Boolean),
            (&[Boolean(true), Number(1.0)], Kind::Text),
            (&[Missing, Untyped(" ")], Kind::Text),
        ] {
            assert_eq!(column(cells, false, false).kind(), kind, "{cells:?}");
            assert_eq!(column(cells, true, false).kind(), Kind::Text);
        }
    }

    #[test]
    fn large_numbers_of_a_typed_source_are_kept() {
        for number in [1.7e15, -9.007_199_254_740_993e15, 1e300] {
            let column = column(&[Cell::Number(number), Cell::Number(0.5)], false, false);
            assert_eq!(column.value(1), Some(ItemValue::Number(number)));
        }
    }

    #[test]
    fn numbers_and_booleans_can_mean_a_missing_value() {
        let options = TableOptions::default().null_values(["-1", "false"]);
        let missing = NullValues::new(&options);
        for (cells, kept) in [
            (["-1", "2"], ItemValue::Number(2.0)),
            (["false", "true"], ItemValue::Boolean(true)),
        ] {
            let mut column = ColumnCells::of_missing(0);
            for text in cells {
                column.push(Cell::Untyped(text), &missing, false);
            }
            let column = column.finish("x".into(), false, &missing, false).unwrap();
            assert_eq!([column.value(0), column.value(1)], [None, Some(kept)]);
        }
    }

    #[test]
    fn texts_that_stand_for_nothing_are_missing_but_in_titles() {
        let cells = [Cell::Untyped("NaN"), Cell::Untyped("x"), Cell::Untyped(" ")];
        let values = |is_title| {
            let column = column(&cells, is_title, false);
            (1..4)
                .map(|row| column.text(row).map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(values(false), [None, Some("x".into()), None]);
        assert_eq!(values(true), [Some("NaN".into()), Some("x".into()), None]);
        let column = column(&[Cell::Untyped("1.234,5"), Cell::Number(2.5)], false, true);
        let numbers = [1, 2].map(|row| column.value(row));
        assert_eq!(numbers, [1234.5, 2.5].map(|it| Some(ItemValue::Number(it))));
    }
}
