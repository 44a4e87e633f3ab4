//! Which rows of an item table satisfy a condition.

use std::cmp::Ordering;
use std::hash::Hash;

use super::{Comparison, ItemCondition, Node, Operand, Pattern, wrong};
use bspm_data::parameter::shortened;
use bspm_data::{ItemColumn, ItemColumnKind, ItemSet, ItemTable, ItemValue, Result};

impl ItemCondition {
    /// Returns the rows of a table that satisfy the condition. Cost: a pass over the rows for each part
    /// of the condition.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](bspm_data::Error::InvalidParameter) for an unknown column, and for a
    /// comparison of values of different types.
    pub fn rows<I: Eq + Hash + Clone>(&self, table: &ItemTable<I>) -> Result<ItemSet> {
        let truths = truths(table, &self.root)?;
        Ok(table.rows_where(|row| truths[row] == TRUE))
    }
}

/// True, false or neither, for each row, in an order in which `and` is the least and `or` the
/// largest.
type Truths = Vec<u8>;

const FALSE: u8 = 0;
const NEITHER: u8 = 1;
const TRUE: u8 = 2;

fn truth(is_true: bool) -> u8 {
    if is_true { TRUE } else { FALSE }
}

fn truths<I: Eq + Hash + Clone>(table: &ItemTable<I>, node: &Node) -> Result<Truths> {
    let rows = 0..table.len();
    Ok(match node {
        Node::And(parts) => joined(table, parts, u8::min)?,
        Node::Or(parts) => joined(table, parts, u8::max)?,
        Node::Not(node) => {
            let mut found = truths(table, node)?;
            found.iter_mut().for_each(|truth| *truth = TRUE - *truth);
            found
        }
        Node::Is(name) => {
            let column = column(table, name)?;
            if column.kind() != ItemColumnKind::Boolean {
                let found = format!("{name:?}, a column of {}s", column.kind().name());
                return Err(wrong("a comparison, or a column of booleans", found));
            }
            let of = |row| match column.value(row) {
                Some(ItemValue::Boolean(boolean)) => truth(boolean),
                _ => NEITHER,
            };
            rows.map(of).collect()
        }
        Node::IsMissing(name) => {
            let column = column(table, name)?;
            rows.map(|row| truth(column.value(row).is_none())).collect()
        }
        Node::Compare(left, comparison, right) => {
            let (left, right) = (Values::of(table, left)?, Values::of(table, right)?);
            left.check_kind(&right)?;
            rows.map(|row| left.compared(*comparison, &right, row))
                .collect()
        }
        Node::OneOf(value, others) => {
            let value = Values::of(table, value)?;
            let others = others.iter().map(|other| {
                let other = Values::of(table, other)?;
                value.check_kind(&other).map(|()| other)
            });
            let others: Vec<Values<'_>> = others.collect::<Result<_>>()?;
            let is_one = |row| {
                let equal = |other| value.compared(Comparison::Equal, other, row);
                others.iter().map(equal).max().unwrap_or(FALSE)
            };
            rows.map(is_one).collect()
        }
        Node::Like {
            column: name,
            pattern,
            ignores_case,
        } => {
            let column = column(table, name)?;
            if column.kind() != ItemColumnKind::Text {
                let found = format!("{name:?}, a column of {}s", column.kind().name());
                return Err(wrong("a column of texts before like", found));
            }
            let matches = |text: &str| match ignores_case {
                true => is_like(&text.to_lowercase(), pattern),
                false => is_like(text, pattern),
            };
            rows.map(|row| column.text(row).map_or(NEITHER, |it| truth(matches(it))))
                .collect()
        }
    })
}

fn joined<I: Eq + Hash + Clone>(
    table: &ItemTable<I>,
    parts: &[Node],
    join: impl Fn(u8, u8) -> u8,
) -> Result<Truths> {
    let mut parts = parts.iter();
    let first = parts.next().map(|part| truths(table, part)).transpose()?;
    let mut all = first.unwrap_or_default();
    for part in parts {
        let next = truths(table, part)?;
        let pairs = all.iter_mut().zip(&next);
        pairs.for_each(|(left, right)| *left = join(*left, *right));
    }
    Ok(all)
}

fn column<'t, I: Eq + Hash + Clone>(table: &'t ItemTable<I>, name: &str) -> Result<&'t ItemColumn> {
    table.column(name).ok_or_else(|| {
        let names = table.columns().iter().map(|it| shortened(it.name().into()));
        let expected = format!(
            "one of the columns {}",
            names.collect::<Vec<_>>().join(", ")
        );
        wrong(expected, format!("{name:?}"))
    })
}

/// The values of a column, or one for all rows.
enum Values<'t> {
    Column(&'t ItemColumn),
    One(ItemValue<'t>),
}

impl<'t> Values<'t> {
    fn of<I: Eq + Hash + Clone>(table: &'t ItemTable<I>, operand: &'t Operand) -> Result<Self> {
        Ok(match operand {
            Operand::Column(name) => Self::Column(column(table, name)?),
            Operand::Text(text) => Self::One(ItemValue::Text(text)),
            Operand::Number(number) => Self::One(ItemValue::Number(*number)),
            Operand::Boolean(boolean) => Self::One(ItemValue::Boolean(*boolean)),
        })
    }

    fn kind(&self) -> ItemColumnKind {
        match self {
            Self::Column(column) => column.kind(),
            Self::One(value) => value.kind(),
        }
    }

    fn described(&self) -> String {
        match self {
            Self::Column(column) => format!("{:?} ({})", column.name(), column.kind().name()),
            Self::One(ItemValue::Text(text)) => format!("the text {text:?}"),
            Self::One(value) => format!("the {} {value}", value.kind().name()),
        }
    }

    fn check_kind(&self, other: &Self) -> Result<()> {
        if self.kind() == other.kind() {
            return Ok(());
        }
        let found = format!("{} and {}", self.described(), other.described());
        Err(wrong("values of the same kind", found))
    }

    fn at(&self, row: usize) -> Option<ItemValue<'t>> {
        match self {
            Self::Column(column) => column.value(row),
            Self::One(value) => Some(*value),
        }
    }

    fn compared(&self, comparison: Comparison, other: &Self, row: usize) -> u8 {
        let (Some(left), Some(right)) = (self.at(row), other.at(row)) else {
            return NEITHER;
        };
        let order = match (left, right) {
            (ItemValue::Text(left), ItemValue::Text(right)) => Some(left.cmp(right)),
            (ItemValue::Number(left), ItemValue::Number(right)) => left.partial_cmp(&right),
            (ItemValue::Boolean(left), ItemValue::Boolean(right)) => Some(left.cmp(&right)),
            _ => None,
        };
        order.map_or(NEITHER, |order| truth(holds(comparison, order)))
    }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// Whether a text has a form: from the last `%` on it is tried at each character.
fn is_like(text: &str, pattern: &[Pattern]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(part) {
            Some(Pattern::AnyText) => {
                retry = Some((at, part + 1));
                part += 1;
            }
            Some(Pattern::AnyCharacter) => (at, part) = (at + 1, part + 1),
            Some(Pattern::Character(character)) if *character == text[at] => {
                (at, part) = (at + 1, part + 1);
            }
            _ => {
                let Some((start, after)) = retry else {
                    return false;
                };
                retry = Some((start + 1, after));
                (at, part) = (start + 1, after);
            }
        }
    }
    pattern[part.min(pattern.len())..]
        .iter()
        .all(|it| *it == Pattern::AnyText)
}
