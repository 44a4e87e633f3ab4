//! Builds a data set from rows, and counts skipped and excluded rows.

use std::cell::Cell;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::column_names::{DEFAULT_ITEMS, DEFAULT_USERS};
use super::fault::Fault;
use super::format::Format;
use super::header::Header;
use super::id_text::NullValues;
use super::options::{Places, TableOptions};
use super::report::{ColumnReason, ColumnUse, ReadReport};
use super::time::{self, TimeReader, TimesRead};
use crate::dataset::{Dataset, DatasetBuilder, Event};
use crate::error::{Error, InvalidRow, Result};
use crate::ids::{FoundId, Ids};
use crate::parameter::shortened;

/// The fields of a row of a table.
pub trait Row<U, I> {
    /// The id of the user. Its index is one of [`Rows::ids`].
    fn user(&mut self) -> Result<FoundId<U>, Fault>;
    /// The id of the item. Its index is one of [`Rows::ids`].
    fn item(&mut self) -> Result<FoundId<I>, Fault>;
    /// The rating, if there is one.
    fn rating(&mut self) -> Result<Option<f64>, Fault>;
    /// The weight, if there is one.
    fn weight(&mut self) -> Result<Option<f64>, Fault>;
    /// The time, if there is one.
    fn time(&mut self) -> Result<Option<f64>, Fault>;
}

type FoundEvent<U, I> = Event<FoundId<U>, FoundId<I>>;

/// Collects the rows of one table or of several.
#[derive(Debug)]
pub struct Rows<U: Eq + Hash, I: Eq + Hash> {
    builder: DatasetBuilder<U, I>,
    /// The file that is read; `None` for a record batch.
    path: Option<PathBuf>,
    rating_threshold: Option<f64>,
    skip_invalid: bool,
    has_time_unit: bool,
    report: ReadReport,
    times: TimesRead,
    /// The number of skipped weights that are numbers with a decimal comma.
    decimal_commas: u64,
}

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Rows<U, I> {
    /// Starts without rows.
    pub fn new(options: &TableOptions) -> Self {
        Self {
            builder: Dataset::builder().weighting(options.weighting),
            path: None,
            rating_threshold: options.rating_threshold,
            skip_invalid: options.skip_invalid,
            has_time_unit: options.time_unit.is_some(),
            report: ReadReport::default(),
            times: TimesRead::default(),
            decimal_commas: 0,
        }
    }

    /// Sets the file of the rows that follow.
    pub fn start(&mut self, path: &Path, format: Format) {
        self.path = Some(path.into());
        self.report.files.push((path.into(), format));
    }

    /// Records the roles of the columns of the first table, and warns if those of another table differ.
    pub fn note_columns(&mut self, names: &[String], places: Places, options: &TableOptions) {
        if !self.report.columns.is_empty() {
            self.warn_of_other_columns([&names[places.user], &names[places.item]]);
            return;
        }
        let has_default_name = |name: &str| {
            DEFAULT_USERS.contains(&name.trim()) || DEFAULT_ITEMS.contains(&name.trim())
        };
        let columns = names.iter().enumerate().map(|(place, name)| {
            let roles = places.roles().filter(|it| it.0 == place);
            let roles: Vec<&str> = roles.map(|it| it.1).collect();
            let role = (!roles.is_empty()).then(|| roles.join(" and "));
            let is_default = match role.as_deref() {
                Some("user") => options.user.is_none(),
                Some("item") => options.item.is_none(),
                _ => false,
            };
            ColumnUse {
                name: name.clone(),
                reason: match role {
                    None => ColumnReason::NotRead,
                    Some(_) if !is_default => ColumnReason::Option,
                    Some(_) if has_default_name(name) => ColumnReason::Default,
                    Some(_) => ColumnReason::UsualName,
                },
                role,
            }
        });
        self.report.columns = columns.collect();
    }

    fn warn_of_other_columns(&mut self, ids: [&str; 2]) {
        let column_of = |role: &str| {
            let mut columns = self.report.columns.iter();
            let has_role = |it: &&ColumnUse| {
                it.role
                    .iter()
                    .any(|it| it.split(" and ").any(|it| it == role))
            };
            let column = columns.find(has_role);
            column.map_or("", |it| it.name.trim())
        };
        let first = [column_of("user"), column_of("item")];
        let [user, item] = ids.map(str::trim);
        if first != [user, item]
            && let Some(path) = &self.path
        {
            let text = format!(
                "{}: the columns of the ids are {user} and {item}, but {} and {} in the first file",
                path.display(),
                first[0],
                first[1]
            );
            self.warn(text);
        }
    }

    /// Counts the kinds of times of a table.
    pub fn note_times(&mut self, times: TimesRead) {
        self.times.add(times);
    }

    pub(super) fn warn(&mut self, text: String) {
        self.report.warnings.push(text);
    }

    pub(super) fn warn_all(&mut self, texts: Vec<String>) {
        self.report.warnings.extend(texts);
    }

    /// The ids of the users and of the items of the rows so far.
    pub fn ids(&self) -> (&Ids<U>, &Ids<I>) {
        self.builder.ids()
    }

    /// Adds a row, or skips it if it is invalid. `line` is the line on which it starts, from 1.
    pub fn push(&mut self, line: u64, row: &mut impl Row<U, I>) -> Result<()> {
        self.report.rows += 1;
        let read = self.event(row);
        match read {
            Ok(Some(event)) => {
                self.report.zero_weight += u64::from(event.weight == Some(0.0));
                self.note_time(event.time.filter(|_| event.weight != Some(0.0)));
                self.builder.push_found(event)
            }
            Ok(None) => {
                self.report.below_threshold += 1;
                Ok(())
            }
            Err(fault) => self.refuse(line, fault),
        }
    }

    fn event(&self, row: &mut impl Row<U, I>) -> Result<Option<FoundEvent<U, I>>, Fault> {
        if let Some(threshold) = self.rating_threshold
            && row.rating()?.is_some_and(|rating| rating < threshold)
        {
            return Ok(None);
        }
        let mut event = Event::new(row.user()?, row.item()?);
        event.weight = row.weight()?;
        event.time = row.time()?;
        Ok(Some(event))
    }

    fn note_time(&mut self, time: Option<f64>) {
        let Some(time) = time else { return };
        let (first, last) = self.report.time_range.unwrap_or((time, time));
        self.report.time_range = Some((first.min(time), last.max(time)));
    }

    /// Counts a row with weight 0.
    pub(super) fn count_zero(&mut self) {
        self.report.rows += 1;
        self.report.zero_weight += 1;
    }

    /// Counts an invalid row, or returns an error that names it.
    pub(super) fn refuse(&mut self, line: u64, fault: Fault) -> Result<()> {
        if self.skip_invalid && fault.reason != InvalidRow::OtherHeader {
            if fault.reason == InvalidRow::InvalidWeight
                && parse_number(&fault.found, true).is_some()
            {
                self.decimal_commas += 1;
            }
            self.report.count_invalid(self.path.as_deref(), line, fault);
            return Ok(());
        }
        Err(fault.into_error(self.path.as_deref(), line))
    }

    /// Like [`refuse`](Self::refuse), for a row that was not split into fields.
    pub(super) fn refuse_row(&mut self, line: u64, fault: Fault) -> Result<()> {
        self.report.rows += 1;
        self.refuse(line, fault)
    }

    /// Adds a row or a column for every id, in this order.
    pub(super) fn add_ids(
        &mut self,
        users: impl IntoIterator<Item = U>,
        items: impl IntoIterator<Item = I>,
    ) -> Result<()> {
        self.builder.add_ids(users, items)
    }

    /// Returns the data set, or an error if it is empty.
    pub fn finish(self) -> Result<(Dataset<U, I>, ReadReport)> {
        let Self {
            builder,
            path,
            mut report,
            times,
            has_time_unit,
            decimal_commas,
            ..
        } = self;
        if has_time_unit && times.dates > 0 && times.numbers == 0 {
            return Err(Error::UnusedOption {
                option: "time_unit",
                context: "times that are dates".into(),
                needed: "numeric times".into(),
            });
        }
        let dataset = builder.finish()?;
        if dataset.is_empty() {
            return Err(Error::NoInteractions {
                path: path.unwrap_or_else(|| "table".into()),
                rows: report.rows,
                reasons: report.exclusions(),
                example: report.usual_fault().map(Box::new),
            });
        }
        if times.dates > 0 && times.other_numbers > 0 {
            report.warnings.push(format!(
                "{} times are dates and {} are numbers that are not seconds since 1970, so they cannot be \
                 compared",
                times.dates, times.other_numbers
            ));
        }
        if decimal_commas > 0 {
            report.warnings.push(format!(
                "{decimal_commas} skipped weights have a comma; hint: set `decimal_comma` to read 1,5 as 1.5"
            ));
        }
        for (reason, warning) in [
            (
                InvalidRow::ShortYear,
                "some years have two digits; hint: %y in `time_format` reads them",
            ),
            (
                InvalidRow::InvalidTime,
                "some times cannot be read; hint: `time_format` sets their format, as in `time_format=%d/%m/%Y`",
            ),
        ] {
            if report.invalid.contains_key(&reason) {
                report.warnings.push(warning.into());
            }
        }
        report.times_are_seconds = has_time_unit || times.dates > 0 && times.other_numbers == 0;
        report.warn_of_skipped();
        Ok((dataset, report))
    }
}

/// A parser of the fields of a text table.
pub(super) struct TextFields<'o> {
    places: Places,
    /// The names of the columns, for errors.
    names: Vec<String>,
    header: Header,
    missing: NullValues<'o>,
    trim_ids: bool,
    decimal_comma: bool,
    times: TimeReader<'o>,
    /// The number of weights with a point, if it may be a thousands separator in all of them.
    thousands: Cell<Option<u64>>,
}

impl<'o> TextFields<'o> {
    pub(super) fn new(
        options: &'o TableOptions,
        places: Places,
        names: Vec<String>,
        header: Header,
    ) -> Self {
        Self {
            places,
            names,
            header,
            missing: NullValues::new(options),
            trim_ids: options.trim_ids,
            decimal_comma: options.decimal_comma,
            times: TimeReader::new(options.time_format.as_deref(), options.time_unit),
            thousands: Cell::new(None),
        }
    }

    /// Returns the row whose fields `field` returns by index.
    pub(super) fn row<'f, F: Fn(usize) -> Option<&'f [u8]>>(
        &'f self,
        field: F,
    ) -> TextRow<'f, 'o, F> {
        TextRow {
            fields: self,
            field,
        }
    }

    /// The number of fields of a row.
    pub(super) fn columns(&self) -> usize {
        self.names.len()
    }

    /// The kinds of times so far.
    pub(super) fn times_read(&self) -> TimesRead {
        self.times.times_read()
    }

    /// Starts to count weights such as `1.400`, whose point may be a thousands separator.
    pub(super) fn count_thousands(&self) {
        self.thousands.set((!self.decimal_comma).then_some(0));
    }

    /// Returns the number of weights with a point, if it may be a thousands separator in all of them.
    pub(super) fn thousands(&self) -> Option<u64> {
        self.thousands.get().filter(|&count| count > 0)
    }

    fn note_thousands(&self, weight: &[u8]) {
        let Some(count) = self.thousands.get() else {
            return;
        };
        let weight = String::from_utf8_lossy(weight.trim_ascii());
        let has_point = weight.contains('.');
        let may_be_thousands = match has_point {
            true => !weight.starts_with('0') && parse_number(&weight, true).is_some(),
            false => weight.len() <= 3,
        };
        let count = count + u64::from(has_point);
        self.thousands.set(may_be_thousands.then_some(count));
    }

    /// Returns the fault of a row with a wrong number of fields.
    pub(super) fn field_count(&self, found: usize) -> Fault {
        let expected = format!("{} fields", self.names.len());
        Fault::of_row(InvalidRow::FieldCount, expected, found.to_string())
    }
}

pub(super) struct TextRow<'f, 'o, F> {
    fields: &'f TextFields<'o>,
    field: F,
}

impl<'f, F: Fn(usize) -> Option<&'f [u8]>> TextRow<'f, '_, F> {
    fn fault(&self, reason: InvalidRow, place: usize, expected: &str) -> Fault {
        let found = (self.field)(place).unwrap_or_default();
        Fault {
            reason: reason.or_missing(found.trim_ascii().is_empty()),
            column: self.fields.names[place].clone(),
            expected: expected.into(),
            found: shortened(String::from_utf8_lossy(found).into_owned()),
        }
    }

    /// Returns the fault of a header or a line of dashes.
    fn no_data(&self) -> Option<Fault> {
        let places = self.fields.places;
        let field = |place: usize| (self.field)(place).unwrap_or_default();
        let (reason, expected) = self.fields.header.fault(places, field)?;
        Some(self.fault(reason, places.user, expected))
    }

    fn text(&self, place: usize, expected: &str) -> Result<&'f str, Fault> {
        let bytes = (self.field)(place).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| {
            let expected = format!("{expected} in UTF-8");
            self.fault(InvalidRow::Encoding, place, &expected)
        })
    }

    fn id<T: FromStr>(&self, place: usize, kind: &IdKind) -> Result<T, Fault> {
        let text = self.text(place, kind.what)?;
        if self.fields.missing.contains(text) {
            return Err(self.fault(kind.missing, place, kind.what));
        }
        if text.contains(['\n', '\r']) {
            let expected = format!("{} without a line break", kind.what);
            return Err(self.fault(kind.invalid, place, &expected));
        }
        let text = match self.fields.trim_ids {
            true => text.trim(),
            false => text,
        };
        text.parse().map_err(|_| {
            let name = std::any::type_name::<T>();
            let name = name.rsplit("::").next().unwrap_or(name);
            let expected = format!("{} that is a {name}", kind.what);
            self.fault(kind.invalid, place, &expected)
        })
    }

    fn number(&self, place: usize, reason: InvalidRow) -> Result<f64, Fault> {
        let expected = "a finite number";
        let text = self.text(place, expected)?.trim();
        parse_value(text, self.fields.decimal_comma)
            .filter(|number| number.is_finite())
            .ok_or_else(|| self.fault(reason, place, expected))
    }
}

/// Parses a weight or a rating: a number, `true` (1) or `false` (0).
pub fn parse_value(text: &str, decimal_comma: bool) -> Option<f64> {
    let boolean = boolean_of(text).map(f64::from);
    boolean.or_else(|| parse_number(text, decimal_comma))
}

/// Parses a Boolean: `true` or `false` in any case.
pub(super) fn boolean_of(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("true") || is("false")).then(|| is("true"))
}

/// Parses a number. With a decimal comma, points are thousands separators.
pub(super) fn parse_number(text: &str, decimal_comma: bool) -> Option<f64> {
    if !decimal_comma {
        return text.parse().ok();
    }
    let (whole, fraction) = text.split_once(',').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split('.');
    let first = groups.next().map_or(0, str::len);
    let has_groups = whole.contains('.');
    let is_group = |group: &str| group.len() == 3 && group.bytes().all(|it| it.is_ascii_digit());
    let starts_with_zero = whole.trim_start_matches(['-', '+']).starts_with('0');
    let are_thousands = (1..=3).contains(&first) && !starts_with_zero && groups.all(is_group);
    if has_groups && !are_thousands || fraction.contains(['.', ',']) {
        return None;
    }
    let whole = whole.replace('.', "");
    match fraction {
        "" => whole.parse().ok(),
        fraction => format!("{whole}.{fraction}").parse().ok(),
    }
}

struct IdKind {
    what: &'static str,
    missing: InvalidRow,
    invalid: InvalidRow,
}

const USER: IdKind = IdKind {
    what: "a user id",
    missing: InvalidRow::MissingUser,
    invalid: InvalidRow::InvalidUser,
};
const ITEM: IdKind = IdKind {
    what: "an item id",
    missing: InvalidRow::MissingItem,
    invalid: InvalidRow::InvalidItem,
};

impl<'f, U: FromStr, I: FromStr, F: Fn(usize) -> Option<&'f [u8]>> Row<U, I>
    for TextRow<'f, '_, F>
{
    fn user(&mut self) -> Result<FoundId<U>, Fault> {
        match self.no_data() {
            Some(fault) => Err(fault),
            None => self.id(self.fields.places.user, &USER).map(FoundId::Other),
        }
    }

    fn item(&mut self) -> Result<FoundId<I>, Fault> {
        self.id(self.fields.places.item, &ITEM).map(FoundId::Other)
    }

    fn rating(&mut self) -> Result<Option<f64>, Fault> {
        let rating = self.fields.places.rating;
        let rating = rating.map(|place| self.number(place, InvalidRow::InvalidRating));
        rating
            .transpose()
            .map_err(|fault| self.no_data().unwrap_or(fault))
    }

    fn weight(&mut self) -> Result<Option<f64>, Fault> {
        let Some(place) = self.fields.places.weight else {
            return Ok(None);
        };
        let weight = self.number(place, InvalidRow::InvalidWeight)?;
        self.fields
            .note_thousands((self.field)(place).unwrap_or_default());
        match weight < 0.0 {
            true => Err(self.fault(InvalidRow::NegativeWeight, place, "a number, 0 or above")),
            false => Ok(Some(weight)),
        }
    }

    fn time(&mut self) -> Result<Option<f64>, Fault> {
        let Some(place) = self.fields.places.time else {
            return Ok(None);
        };
        let text = self.text(place, time::EXPECTED)?;
        let time = self.fields.times.read(text);
        time.map(Some).ok_or_else(|| {
            let (reason, expected) = self.fields.times.fault(text);
            self.fault(reason, place, &expected)
        })
    }
}
