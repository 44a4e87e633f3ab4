//! Conditions on the columns of an item table in the syntax of a SQL `where` clause.

mod evaluate;
mod parse;

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use bspm_data::parameter::{invalid, shortened};
use bspm_data::{Dataset, Error, ItemSet, Result};

/// A condition on the columns of an [`ItemTable`](bspm_data::ItemTable) in the syntax of a SQL `where`
/// clause, such as `category = 'books' and price < 20 and in_stock`.
///
/// | condition | is true for an item if |
/// | --- | --- |
/// | `price < 20`, `=`, `==`, `!=`, `<>`, `<=`, `>`, `>=` | the comparison with a number, a text, a boolean or another column is true |
/// | `price between 5 and 20` | the value is in the range, including both ends |
/// | `brand in ('a', 'b')` | the value is one of these |
/// | `title like '%tea%'` | the text matches the pattern: `%` is any text, `_` any character; `ilike` ignores case |
/// | `in_stock` | the boolean is true |
/// | `price is null` | the value is missing |
/// | `not`, `and`, `or`, parentheses; `not between`, `not in`, `not like`, `is not null` | |
///
/// Texts are in single or double quotes; a quote in a text is doubled. Texts are ordered by their bytes.
/// A column whose name is not an identifier is in backquotes: `` `in stock` ``. As in SQL, a comparison
/// with a missing value is not true, and neither is its `not`.
///
/// # Examples
///
/// ```
/// use bspm_data::{ItemColumn, ItemTable};
/// use bspm_rules::ItemCondition;
///
/// let columns = vec![
///     ItemColumn::texts("title", ["Green tea", "Milk", "Mug"]),
///     ItemColumn::numbers("price", [4.5, 1.2, f64::NAN]),
/// ];
/// let table = ItemTable::new(["t1", "m1", "c1"].into_iter().collect(), "title", columns)?;
/// let cheap: ItemCondition = "price < 3".parse()?;
/// assert!(cheap.rows(&table)?.rows().eq([1]));
/// let unknown: ItemCondition = "colour = 'red'".parse()?;
/// let error = unknown.rows(&table).unwrap_err();
/// assert_eq!(error.to_string(), "where: expected one of the columns title, price, found \"colour\"");
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ItemCondition {
    text: String,
    root: Node,
}

/// A part of a condition, which is true, false or neither for an item.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// A column of booleans.
    Is(String),
    /// Never neither.
    IsMissing(String),
    Compare(Operand, Comparison, Operand),
    OneOf(Operand, Vec<Operand>),
    Like {
        column: String,
        pattern: Vec<Pattern>,
        ignores_case: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Column(String),
    Text(String),
    Number(f64),
    Boolean(bool),
}

/// A part of the pattern of `like`.
#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Character(char),
    AnyCharacter,
    AnyText,
}

/// The most bytes of a condition, which bounds its depth.
const LONGEST: usize = 4096;

impl FromStr for ItemCondition {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an invalid condition, and for a text of more than 4096 bytes.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            let expected = format!("a condition of at most {LONGEST} bytes");
            return Err(invalid("where", expected, format!("{} bytes", text.len())));
        }
        let root = parse::parse(text)?;
        Ok(Self {
            text: text.into(),
            root,
        })
    }
}

impl ItemCondition {
    /// The items of a data set that satisfy the condition. Cost: a pass over the rows of the item
    /// table for each part of the condition.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] without an item table, and as [`rows`](Self::rows).
    pub fn items<U, I>(&self, dataset: &Dataset<U, I>) -> Result<ItemSet>
    where
        U: Eq + Hash + Clone,
        I: Eq + Hash + Clone,
    {
        let Some(table) = dataset.item_table() else {
            let expected = "a data set with an item table, which has the columns of conditions";
            return Err(invalid("where", expected, "none"));
        };
        self.rows(table)
    }
}

/// As it was written.
impl fmt::Display for ItemCondition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// The error for a part of a condition.
fn wrong(expected: impl Into<String>, found: impl fmt::Display) -> Error {
    invalid("where", expected, shortened(found.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bspm_data::{ItemColumn, ItemTable};

    fn table() -> ItemTable<u32> {
        let columns = vec![
            ItemColumn::texts("title", ["Green tea", "Milk", "", "Mug of TEA"]),
            ItemColumn::texts("brand", [Some("A"), Some("it's"), None, Some("A")]),
            ItemColumn::numbers("price", [4.5, -1.5, f64::NAN, 20.0]),
            ItemColumn::numbers("usual price", [4.5, 2.0, 3.0, 25.0]),
            ItemColumn::booleans("in_stock", [Some(true), Some(false), None, Some(true)]),
        ];
        ItemTable::new((0..4).collect(), "title", columns).unwrap()
    }

    fn rows(condition: &str) -> Vec<u32> {
        let condition: ItemCondition = condition.parse().unwrap();
        condition.rows(&table()).unwrap().rows().collect()
    }

    fn refusal(condition: &str) -> String {
        let condition = condition.parse::<ItemCondition>();
        let found = condition.and_then(|condition| condition.rows(&table()));
        found.unwrap_err().to_string()
    }

    #[test]
    fn each_form_holds_for_the_rows_that_it_says() {
        for (condition, expected) in [
            ("price < 4.5", &[1][..]),
            ("price <= 4.5 and price > -2", &[0, 1]),
            ("4.5 <= price", &[0, 3]),
            ("price = `usual price`", &[0]),
            ("price != `usual price`", &[1, 3]),
            ("price <> -1.5", &[0, 3]),
            ("price == 20", &[3]),
            ("price between 4.5 and 20", &[0, 3]),
            ("price not between 4.5 and 20", &[1]),
            ("brand == \"A\" and in_stock", &[0, 3]),
            ("brand = 'it''s'", &[1]),
            ("brand in ('A', 'x') or price < 0", &[0, 1, 3]),
            ("brand not in ('A')", &[1]),
            ("in_stock = true", &[0, 3]),
            ("not in_stock", &[1]),
            ("not (in_stock or price < 0)", &[]),
            ("price is null", &[2]),
            ("title is not null", &[0, 1, 3]),
            ("title like '%tea'", &[0]),
            ("title ilike '%TEA%'", &[0, 3]),
            ("title like 'M__k'", &[1]),
            ("title like '%'", &[0, 1, 3]),
            ("title not like '%tea'", &[1, 3]),
            ("title like ''", &[]),
            ("title like 'M%u%g%T%A'", &[3]),
            ("1 = 1", &[0, 1, 2, 3]),
            ("true = false", &[]),
        ] {
            assert_eq!(rows(condition), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_an_error_that_says_why() {
        for (condition, expected) in [
            (
                "colour = 'red'",
                "where: expected one of the columns title, brand, price, usual price, in_stock, found \"colour\"",
            ),
            ("BRAND = 'A'", "expected one of the columns"),
            (
                "price < 'a'",
                "expected values of the same kind, found \"price\" (number) and the text \"a\"",
            ),
            ("price in (1, 'a')", "expected values of the same kind"),
            (
                "price",
                "expected a comparison, or a column of booleans, found \"price\", a column of numbers",
            ),
            ("price like '1%'", "expected a column of texts before like"),
            ("price = null", "use is null for missing values"),
            ("price <", "expected a condition such as"),
            ("price < 1 extra", "Expected: EOF, found: extra"),
            ("price < 1; drop table x", "expected a condition such as"),
            ("", "expected a condition such as"),
            (
                "lower(title) = 'a'",
                "expected a column, a number, a text in quotes, true or false",
            ),
            ("a.b = 1", "in backquotes if its name is not an identifier"),
            ("price + 1 < 2", "expected a column, a number"),
            ("price < 1e999", "expected a finite number"),
            ("(select 1) = 1", "expected a column"),
            ("price in (select 1)", "expected a condition such as"),
            ("title = 'unclosed", "expected a condition such as"),
        ] {
            let refused = refusal(condition);
            assert!(refused.contains(expected), "{condition}: {refused}");
        }
        assert!(refusal(&"(".repeat(100)).contains("at most 40 nested parentheses"));
        assert!(refusal(&format!("title = '{}'", "x".repeat(5000))).contains("at most 4096 bytes"));
    }

    #[test]
    fn the_longest_chain_is_no_deeper_than_a_thread_bears() {
        let chain = "in_stock or ".repeat(340) + "in_stock";
        let found = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || rows(&chain));
        assert_eq!(found.unwrap().join().unwrap(), [0, 3]);
        let nested = "not ".repeat(2000) + "in_stock";
        refusal(&nested[nested.len() - 4000..]);
    }
}
