//! Requests for lists from the rows of a record batch.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, LargeListArray, LargeStringArray, RecordBatch};
use arrow_schema::{DataType, Field};

use super::columns::{cast, find, value, wrong};
use super::ids::ArrowId;
use super::request_columns::{ids, lists};
use bspm_core::fitted::ListRequest;
use bspm_core::{Backend, Model};
use bspm_data::{Dataset, Error, History, Ids, ItemSet, Result, UnknownIds};
use bspm_rules::ItemCondition;

/// The columns of the requests: the user or history of a list, and the items that it may contain.
pub(super) const USER: &str = "user";
pub(super) const REQUEST: [&str; 5] = [HISTORY, WEIGHTS, DENY, ALLOW, WHERE];
const HISTORY: &str = "history";
const WEIGHTS: &str = "weights";
const DENY: &str = "deny";
const ALLOW: &str = "allow";
const WHERE: &str = "where";

/// The requests of a batch, with users and items as rows and columns of the matrix.
pub(super) struct Requests {
    sources: Vec<Source>,
    history: Option<ItemLists>,
    deny: Option<ItemLists>,
    allow: Option<Allowed>,
}

/// The user or history of a request.
#[derive(Clone, Copy)]
enum Source {
    /// A user of the model.
    User(u32),
    /// The history in the row.
    History,
    /// An unknown user, whose history is empty.
    Nobody,
}

impl Requests {
    pub(super) fn read<B: Backend, U: ArrowId, I: ArrowId>(
        model: &Model<B, U, I>,
        batch: &RecordBatch,
        unknown_ids: UnknownIds,
    ) -> Result<Self> {
        let items = model.dataset().items();
        let item_lists = |name: &'static str| {
            let column = find(batch, name)?;
            let lists = column.map(|column| ItemLists::read(name, &column, items, unknown_ids));
            lists.transpose()
        };
        let user = find(batch, USER)?;
        let mut history = item_lists(HISTORY)?;
        if user.is_none() && history.is_none() {
            let expected = "a column \"user\" or \"history\"";
            return Err(wrong(USER, None, expected, "neither"));
        }
        if let Some(weights) = find(batch, WEIGHTS)? {
            let Some(history) = &mut history else {
                let expected = "a column \"history\" with the items of the weights";
                return Err(wrong(WEIGHTS, None, expected, "none"));
            };
            history.weigh(&weights)?;
        }
        let rows = 0..batch.num_rows();
        let sources = sources(model, user.as_ref(), history.as_ref(), unknown_ids, rows)?;
        Ok(Self {
            sources,
            history,
            deny: item_lists(DENY)?,
            allow: Allowed::read(model.dataset(), batch, item_lists(ALLOW)?)?,
        })
    }

    /// The request of each row.
    pub(super) fn rows<'a, B: Backend, U: ArrowId, I: ArrowId>(
        &'a self,
        model: &'a Model<B, U, I>,
    ) -> impl Iterator<Item = ListRequest<'a>> {
        let interactions = model.dataset().interactions();
        self.sources.iter().enumerate().map(move |(row, source)| {
            let history = match source {
                Source::User(user) => interactions.history_of(*user),
                Source::History => {
                    let histories = self.history.as_ref();
                    let history = histories.and_then(|it| it.history(row));
                    history.unwrap_or(History::EMPTY)
                }
                Source::Nobody => History::EMPTY,
            };
            let mut request = ListRequest::new(history);
            if let Some(denied) = self.deny.as_ref().and_then(|it| it.items(row)) {
                request = request.deny(denied);
            }
            if let Some(allowed) = self.allow.as_ref().and_then(|it| it.items(row)) {
                request = request.allow(allowed);
            }
            request
        })
    }
}

fn sources<B: Backend, U: ArrowId, I: ArrowId>(
    model: &Model<B, U, I>,
    user: Option<&ArrayRef>,
    history: Option<&ItemLists>,
    unknown_ids: UnknownIds,
    rows: Range<usize>,
) -> Result<Vec<Source>> {
    let users = match user {
        None => vec![None; rows.len()],
        Some(column) => U::look_up(model.dataset().users(), &ids::<U>(USER, column)?),
    };
    let source = |row: usize| {
        if history.is_some_and(|history| history.items(row).is_some()) {
            return Ok(Source::History);
        }
        match (users[row], user) {
            (Some(user), _) => Ok(Source::User(user)),
            (None, Some(column)) if !column.is_null(row) => match unknown_ids {
                UnknownIds::Skip => Ok(Source::Nobody),
                UnknownIds::Error => {
                    let expected = "a user of the model";
                    Err(wrong(USER, Some(row), expected, value(column, row)))
                }
            },
            _ => Err(wrong(USER, Some(row), "a user or a history", "null")),
        }
    };
    rows.map(source).collect()
}

/// The only items that the list of each row may contain, of the columns `allow` and `where`.
struct Allowed {
    lists: Option<ItemLists>,
    /// Of each row, the index of the items that satisfy its condition, if it has one.
    rows: Vec<Option<usize>>,
    items: Vec<Vec<u32>>,
}

impl Allowed {
    /// Returns `None` if the batch has neither of the columns. Each condition is evaluated once.
    fn read<U: ArrowId, I: ArrowId>(
        dataset: &Dataset<U, I>,
        batch: &RecordBatch,
        lists: Option<ItemLists>,
    ) -> Result<Option<Self>> {
        let Some(column) = find(batch, WHERE)? else {
            return Ok(lists.map(|lists| Self {
                rows: vec![None; batch.num_rows()],
                items: Vec::new(),
                lists: Some(lists),
            }));
        };
        let conditions = texts(WHERE, &column)?;
        let mut allowed = Self {
            lists,
            rows: Vec::with_capacity(batch.num_rows()),
            items: Vec::new(),
        };
        let mut found: HashMap<&str, (ItemSet, usize)> = HashMap::new();
        for (row, condition) in conditions.iter().enumerate() {
            let Some(condition) = condition else {
                allowed.rows.push(None);
                continue;
            };
            if !found.contains_key(condition) {
                let set = satisfied(dataset, condition, row)?;
                allowed.items.push(set.rows().collect());
                found.insert(condition, (set, allowed.items.len() - 1));
            }
            let (set, place) = &found[condition];
            let listed = allowed.lists.as_ref().and_then(|it| it.items(row));
            let both = listed.map(|listed| {
                let both = listed.iter().filter(|&&item| set.contains(item));
                both.copied().collect()
            });
            allowed.rows.push(Some(match both {
                None => *place,
                Some(both) => {
                    allowed.items.push(both);
                    allowed.items.len() - 1
                }
            }));
        }
        Ok(Some(allowed))
    }

    fn items(&self, row: usize) -> Option<&[u32]> {
        match self.rows[row] {
            Some(place) => Some(&self.items[place]),
            None => self.lists.as_ref().and_then(|it| it.items(row)),
        }
    }
}

/// The items that satisfy the condition of a row.
fn satisfied<U: ArrowId, I: ArrowId>(
    dataset: &Dataset<U, I>,
    condition: &str,
    row: usize,
) -> Result<ItemSet> {
    let condition = condition.parse::<ItemCondition>();
    let found = condition.and_then(|condition| condition.items(dataset));
    found.map_err(|error| match error {
        Error::InvalidParameter {
            expected, found, ..
        } => wrong(WHERE, Some(row), &expected, found),
        error => error,
    })
}

/// Converts a column of texts of any type of text.
fn texts(name: &str, column: &ArrayRef) -> Result<LargeStringArray> {
    let texts = cast(name, column, &DataType::LargeUtf8, "texts")?;
    Ok(texts.as_string::<i64>().clone())
}

/// A column of lists of items; `None` for a null.
struct ItemLists {
    name: &'static str,
    rows: Vec<Option<Range<usize>>>,
    items: Vec<u32>,
    /// The indices of the known items within the values of `lists`.
    kept: Vec<usize>,
    lists: LargeListArray,
    weights: Option<Vec<f32>>,
}

impl ItemLists {
    fn read<I: ArrowId>(
        name: &'static str,
        column: &ArrayRef,
        known: &Ids<I>,
        unknown_ids: UnknownIds,
    ) -> Result<Self> {
        let lists = lists(name, column)?;
        let found = I::look_up(known, &ids::<I>(name, lists.values())?);
        let mut all = Self {
            name,
            rows: Vec::with_capacity(lists.len()),
            items: Vec::new(),
            kept: Vec::new(),
            weights: None,
            lists,
        };
        for row in 0..all.lists.len() {
            if all.lists.is_null(row) {
                all.rows.push(None);
                continue;
            }
            let start = all.items.len();
            for place in entries(&all.lists, row) {
                match found[place] {
                    Some(item) => {
                        all.items.push(item);
                        all.kept.push(place);
                    }
                    None if unknown_ids == UnknownIds::Skip
                        && !all.lists.values().is_null(place) => {}
                    None => {
                        let found = value(all.lists.values(), place);
                        return Err(wrong(name, Some(row), "items of the model", found));
                    }
                }
            }
            all.rows.push(Some(start..all.items.len()));
        }
        Ok(all)
    }

    /// Sets the weight of each item.
    fn weigh(&mut self, column: &ArrayRef) -> Result<()> {
        let weights = lists(WEIGHTS, column)?;
        let to = DataType::LargeList(Field::new_list_field(DataType::Float32, true).into());
        let is_number = |it: &DataType| it.is_numeric() || *it == DataType::Null;
        if !is_number(&weights.value_type()) {
            let found = format!("lists of {}", weights.value_type());
            return Err(wrong(WEIGHTS, None, "lists of numbers", found));
        }
        let weights = arrow_cast::cast(&weights, &to)
            .map_err(|error| wrong(WEIGHTS, None, "lists of numbers", error.to_string()))?;
        let weights = weights.as_list::<i64>();
        let values = weights.values().as_primitive::<Float32Type>();
        let mut all = Vec::with_capacity(self.items.len());
        for (row, range) in self.rows.iter().enumerate() {
            let Some(range) = range else { continue };
            if weights.is_null(row) {
                all.resize(range.end, 1.0);
                continue;
            }
            let (own, theirs) = (entries(&self.lists, row), entries(weights, row));
            if own.len() != theirs.len() {
                let expected = format!(
                    "{} weights, one for each item of {:?}",
                    own.len(),
                    self.name
                );
                return Err(wrong(
                    WEIGHTS,
                    Some(row),
                    &expected,
                    theirs.len().to_string(),
                ));
            }
            for &place in &self.kept[range.clone()] {
                let place = theirs.start + (place - own.start);
                let weight = values.is_valid(place).then(|| values.value(place));
                match weight.filter(|it| it.is_finite()) {
                    Some(weight) => all.push(weight),
                    None => {
                        let found = value(values, place);
                        return Err(wrong(WEIGHTS, Some(row), "finite numbers", found));
                    }
                }
            }
        }
        self.weights = Some(all);
        Ok(())
    }

    fn items(&self, row: usize) -> Option<&[u32]> {
        self.rows[row].clone().map(|range| &self.items[range])
    }

    fn history(&self, row: usize) -> Option<History<'_>> {
        let range = self.rows[row].clone()?;
        let weights = self.weights.as_ref().map(|it| &it[range.clone()]);
        Some(History::new(&self.items[range], weights))
    }
}

/// The indices of a row's entries among the values.
fn entries(lists: &LargeListArray, row: usize) -> Range<usize> {
    let offsets = lists.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}
