//! Proposes the format of a text file from its first lines, for hints.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::column_names::{usual_item_column, usual_user_column};
use super::file::open_text;
use super::foreign::by_lines;
use super::format::Format;
use super::options::TableOptions;
use super::plain_text::{Lines, PlainText};
use super::time::parse_time;
use super::time_format::likely_time_formats;

/// The format that the first lines of a text file likely have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LikelyFormat {
    /// A table.
    Table(LikelyTable),
    /// Lines of the form `user::item::rating::time`.
    MovieLens,
    /// JSON objects.
    JsonLines,
    /// A list of items on each line, with different numbers of items and likely without a user, as in data of market
    /// baskets.
    Lists {
        /// Whether all items are numbers, so that the first one may be a user.
        are_numbers: bool,
    },
    /// A known format that is not read.
    Other {
        /// What the lines are, and how to convert them.
        conversion: &'static str,
    },
}

/// A table, as its first lines look.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LikelyTable {
    /// [`Format::Tsv`] or [`Format::Csv`].
    pub format: Format,
    /// The delimiter of the fields.
    pub delimiter: char,
    /// The character that starts the lines before the table, which are comments.
    pub comment: Option<char>,
    /// Whether the first line has the names of the columns. `None` if all fields are texts, and the first ones are no
    /// usual names.
    pub has_header: Option<bool>,
    /// The names of the columns. Without an evident header, `time` for a column of dates, and `user`, `item`, `rating` and
    /// `time` for the others in their order; further columns are numbered.
    pub names: Vec<String>,
    /// Whether all columns except one or two have numbers and none of them is a column of ids, so that each of many
    /// columns may be an item.
    pub has_item_columns: bool,
}

/// The number of bytes and of lines that are examined.
const MOST_BYTES: usize = 1 << 20;
const MOST_LINES: usize = 1000;

/// A table with a column for each item has at least as many columns.
const FEWEST_ITEM_COLUMNS: usize = 20;

/// Numbers above this are times in seconds or smaller units since 1970, not ratings.
const SMALLEST_TIME: f64 = 1e8;

impl LikelyFormat {
    /// Returns the likely format of a file. The encoding and the comments are those of `options`. Returns `None` if
    /// the first lines do not agree on a format, and for files that cannot be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::TableOptions;
    /// use bspm_data::reader::LikelyFormat;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("u.data");
    /// std::fs::write(&path, "196\t242\t3\t881250949\n186\t302\t3\t891717742\n")?;
    /// let Some(LikelyFormat::Table(table)) = LikelyFormat::of_file(&path, &TableOptions::default()) else {
    ///     panic!("expected a table");
    /// };
    /// assert_eq!((table.delimiter, table.has_header), ('\t', Some(false)));
    /// assert_eq!(table.names, ["user", "item", "rating", "time"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_file(path: &Path, options: &TableOptions) -> Option<Self> {
        if !path.is_file() {
            return None;
        }
        let (lines, comment) = first_lines(path, options)?;
        let first = lines.first()?;
        if let Some(conversion) = by_lines(&lines) {
            return Some(Self::Other { conversion });
        }
        if is_json(first) {
            return Some(Self::JsonLines);
        }
        if lines.iter().all(|line| line.split("::").count() == 4) {
            return Some(Self::MovieLens);
        }
        if let Some((delimiter, rows)) = table_rows(&lines) {
            return Some(Self::Table(table(delimiter, comment, &rows)));
        }
        // Item tables of MovieLens have lists of genres.
        let is_movielens = lines.iter().any(|line| line.contains("::"));
        if is_movielens { None } else { lists(&lines) }
    }
}

/// Whether a line is the start of a JSON object or array.
fn is_json(line: &str) -> bool {
    let line = line.trim();
    let rest = line.strip_prefix(['{', '[']).map(str::trim_start);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '{', '[', '}', ']']))
}

/// Returns the first lines that are not empty, without the comments before them, and the character that starts these
/// comments if no option names it.
fn first_lines(path: &Path, options: &TableOptions) -> Option<(Vec<String>, Option<char>)> {
    let text = PlainText::new(open_text(path).ok()?, options.text_encoding().ok()?);
    let mut reader = Lines::new(text);
    let (mut lines, mut comment, mut bytes) = (Vec::new(), None, 0);
    while bytes < MOST_BYTES && lines.len() < MOST_LINES {
        let Ok(Some((_, line))) = reader.next() else {
            break;
        };
        bytes += line.len() + 1;
        let first = line.first().copied();
        if line.trim_ascii().is_empty() || first == options.comment {
            continue;
        }
        // Files of graphs start with lines of `#` or `%`.
        if lines.is_empty() && options.comment.is_none() && matches!(first, Some(b'#' | b'%')) {
            comment = first.map(char::from);
            continue;
        }
        lines.push(String::from_utf8_lossy(line).into_owned());
    }
    let is_comment = |line: &String| comment.is_some_and(|start| line.starts_with(start));
    lines.retain(|line| !is_comment(line));
    Some((lines, comment))
}

/// Splits lines with the delimiter that gives the same number of fields on almost all lines, including the first.
fn table_rows(lines: &[String]) -> Option<(char, Vec<Vec<String>>)> {
    // A comma may be in a number and a space in any text, so they are tried last.
    ['\t', ';', '|', ',', ' ']
        .into_iter()
        .find_map(|delimiter| {
            let mut rows = split(lines, delimiter);
            let count = rows.len();
            let fields = rows.first().map_or(0, Vec::len);
            rows.retain(|row| row.len() == fields);
            let has_empty_name =
                delimiter == ' ' && rows.iter().any(|row| row.contains(&String::new()));
            let is_table = fields >= 2 && rows.len() * 10 >= count * 9 && !has_empty_name;
            is_table.then_some((delimiter, rows))
        })
}

fn split(lines: &[String], delimiter: char) -> Vec<Vec<String>> {
    let text = lines.join("\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter as u8)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let records = reader.records().map_while(Result::ok);
    let fields = |record: csv::StringRecord| record.iter().map(|it| it.trim().to_owned()).collect();
    records.map(fields).collect()
}

/// Describes a table with these rows, which all have the same number of fields.
fn table(delimiter: char, comment: Option<char>, rows: &[Vec<String>]) -> LikelyTable {
    let (first, others) = (&rows[0], &rows[1..]);
    let numbers = |place: usize| {
        let fields = others.iter().map(move |row| row[place].as_str());
        let numbers: Option<Vec<f64>> = fields.filter(|it| !it.is_empty()).map(number_of).collect();
        numbers.filter(|numbers| !numbers.is_empty())
    };
    let numbers: Vec<Option<Vec<f64>>> = (0..first.len()).map(numbers).collect();
    let has_numbers = first.iter().any(|field| number_of(field).is_some());
    let has_names = usual_user_column(first).is_some() && usual_item_column(first).is_some();
    let mut fields = first.iter().zip(&numbers);
    let names_all_numbers = fields.all(|(name, numbers)| numbers.is_none() || !name.is_empty());
    let has_number_columns = numbers.iter().any(Option::is_some);
    let is_header = !has_numbers && (has_names || names_all_numbers && has_number_columns);
    let are_numbers = |(field, others): (&String, &Option<Vec<f64>>)| {
        number_of(field).is_some() && (rows.len() == 1 || others.is_some())
    };
    let is_row = first.iter().zip(&numbers).any(are_numbers) || first.iter().any(|it| is_date(it));
    let is_id = |name: &String| ["_id", "Id", "ID"].iter().any(|end| name.ends_with(end));
    let texts = numbers.iter().filter(|it| it.is_none()).count();
    LikelyTable {
        format: if delimiter == '\t' {
            Format::Tsv
        } else {
            Format::Csv
        },
        delimiter,
        comment,
        has_header: (is_header || is_row).then_some(is_header),
        names: match is_header {
            true => first.clone(),
            false => names_of(rows, &numbers),
        },
        has_item_columns: is_header
            && first.len() >= FEWEST_ITEM_COLUMNS
            && texts <= 2
            && usual_item_column(first).is_none()
            && !first.iter().skip(1).any(is_id),
    }
}

/// Proposes names for the columns of a table without a header: `time` for dates or for large numbers in the third or
/// fourth of at most four columns, and `user`, `item` and `rating` for the others in their order.
fn names_of(rows: &[Vec<String>], numbers: &[Option<Vec<f64>>]) -> Vec<String> {
    let first = &rows[0];
    let is_large = |place: usize| {
        let others = numbers[place].as_deref().unwrap_or_default();
        number_of(&first[place]).is_some_and(|it| it >= SMALLEST_TIME)
            && others.iter().all(|&it| it >= SMALLEST_TIME)
    };
    let has_dates = |place: &usize| rows.iter().all(|row| is_date(&row[*place]));
    let time = match first.len() {
        0..=2 => None,
        count => (0..count).find(has_dates).or_else(|| match count {
            3 => is_large(2).then_some(2),
            4 if is_large(2) && !is_large(3) => Some(2),
            _ => Some(3),
        }),
    };
    let mut usual = ["user", "item", "rating"].into_iter();
    let name = |place: usize| match Some(place) == time {
        true => "time".to_owned(),
        false => usual
            .next()
            .map_or_else(|| format!("column{}", place + 1), str::to_owned),
    };
    (0..first.len()).map(name).collect()
}

/// Whether a text is a date that is read without a format, or with one that a hint proposes.
fn is_date(text: &str) -> bool {
    number_of(text).is_none()
        && (parse_time(text).is_some() || !likely_time_formats(text).is_empty())
}

/// Parses a finite number.
fn number_of(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Recognises lists of items: their lengths differ from the first lines on, and some have a single item. In a table
/// with texts that contain the delimiter, the lengths differ too, but each row has at least two fields.
fn lists(lines: &[String]) -> Option<LikelyFormat> {
    let are_lists = |delimiter: &char| {
        let lengths: Vec<usize> = lines
            .iter()
            .map(|line| items(line, *delimiter).count())
            .collect();
        let mut counts = HashMap::new();
        lengths
            .iter()
            .for_each(|length| *counts.entry(*length).or_insert(0_usize) += 1);
        let first: HashSet<&usize> = lengths.iter().take(10).collect();
        let usual = counts.values().max().copied().unwrap_or_default();
        first.len() >= 3
            && counts.len() >= 4
            && counts.contains_key(&1)
            && 5 * usual <= 3 * lengths.len()
    };
    let are_numbers = |delimiter| {
        let mut items = lines.iter().flat_map(|line| items(line, delimiter));
        items.all(|item| number_of(item).is_some())
    };
    let delimiter = ['\t', ';', '|', ',', ' '].into_iter().find(are_lists)?;
    let are_numbers = are_numbers(delimiter);
    // The lines of a text differ in their numbers of words.
    (are_numbers || delimiter != ' ').then_some(LikelyFormat::Lists { are_numbers })
}

fn items(line: &str, delimiter: char) -> impl Iterator<Item = &str> {
    line.split(delimiter)
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(text: &str) -> Option<LikelyFormat> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, text).unwrap();
        LikelyFormat::of_file(&path, &TableOptions::default())
    }

    #[test]
    fn the_first_lines_tell_the_delimiter_and_the_header() {
        for (text, delimiter, has_header, names) in [
            ("u i r\n1 2 3\n1 3 4\n", ' ', Some(true), "u i r"),
            (
                "user_id\titem_id\na\tb\n",
                '\t',
                Some(true),
                "user_id item_id",
            ),
            ("1,2,3.5\n2,3,4\n", ',', Some(false), "user item rating"),
            ("1;2;3,5\n2;3;4,5\n", ';', Some(false), "user item rating"),
            (
                "a|b|881250949\nb|c|881250950\n",
                '|',
                Some(false),
                "user item time",
            ),
            (
                "1\t2\t881250949\t5\n",
                '\t',
                Some(false),
                "user item time rating",
            ),
            (
                "1\t2\t5\t881250949\t0\n",
                '\t',
                Some(false),
                "user item rating time column5",
            ),
            (
                "2018-09-20,1,7\n2018-09-21,2,7\n",
                ',',
                Some(false),
                "time user item",
            ),
            (
                "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n",
                ',',
                Some(false),
                "user time item rating",
            ),
            (
                "11/1/2000,a,7\n11/13/2000,b,7\n",
                ',',
                Some(false),
                "time user item",
            ),
            (
                "ann\t2009-05-04T23:08:57Z\ttea\nbob\t2009-05-04T13:54:10Z\tmilk\n",
                '\t',
                Some(false),
                "user time item",
            ),
            ("a,\"x, y\"\nb,z\n", ',', None, "user item"),
            ("ann tea,milk soup\na b c,d\n", ',', None, "user item"),
        ] {
            let Some(LikelyFormat::Table(table)) = likely(text) else {
                panic!("{text:?}");
            };
            assert_eq!(
                (table.delimiter, table.has_header),
                (delimiter, has_header),
                "{text:?}"
            );
            assert_eq!(table.names.join(" "), names, "{text:?}");
            assert!(!table.has_item_columns);
        }
        let Some(LikelyFormat::Table(table)) = likely("# a graph\n# of 2 edges\n0\t1\n0\t2\n")
        else {
            panic!("expected a table");
        };
        assert_eq!((table.comment, table.has_header), (Some('#'), Some(false)));
    }

    #[test]
    fn other_contents_are_told_apart() {
        assert_eq!(
            likely("1::2::3::4\n1::3::5::6\n"),
            Some(LikelyFormat::MovieLens)
        );
        assert_eq!(
            likely("[\n{\"user\":1}\n]\n"),
            Some(LikelyFormat::JsonLines)
        );
        let baskets = "milk,soap\nmilk\ntea,milk,a b\nsoap,tea,milk,x\nmilk\ntea,milk\n";
        let are_numbers = false;
        assert_eq!(likely(baskets), Some(LikelyFormat::Lists { are_numbers }));
        let numbers = "1 2 3 \n4\n5 6\n1 3 5 7\n";
        assert_eq!(
            likely(numbers),
            Some(LikelyFormat::Lists { are_numbers: true })
        );
        for (other, what) in [
            (
                "{'user': 'ann', 'item': 'tea'}\n{'user': 'bob', 'item': 'tea'}\n",
                "dictionaries of Python",
            ),
            (
                "{u'user': u'ann'}\n{u'user': u'bob'}\n",
                "dictionaries of Python",
            ),
            (
                "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n885013,4,2005-10-19\n",
                "Netflix Prize",
            ),
            ("0 1:1 7:3.5\n1 2:1\n-1 1:2 3:1 9:4\n", "svmlight"),
        ] {
            match likely(other) {
                Some(LikelyFormat::Other { conversion }) => {
                    assert!(conversion.contains(what), "{other}")
                }
                found => panic!("{other}: {found:?}"),
            }
        }
        for other in [
            "",
            "\n",
            "word\n",
            "Some text of words.\nAnother\nand one more line\nof four words here\n",
        ] {
            assert_eq!(likely(other), None, "{other:?}");
        }
        // Commas in reviews.
        let reviews = "u,i,good\nu,j,good, but slow\nv,i,a, b, c\nv,j,a, b, c, d\nw,i,x\n";
        assert_eq!(likely(reviews), None);
    }

    #[test]
    fn many_columns_of_numbers_are_items_unless_they_are_ids() {
        let wide = |first: &str, rest: &str| {
            let names: Vec<String> = (0..30).map(|it| format!("{rest}{it}")).collect();
            let header = format!("{first},{}", names.join(","));
            let row = vec!["1"; header.matches(',').count()].join(",");
            let text = format!("{header}\nann,{row}\nbob,{row}\n");
            match likely(&text) {
                Some(LikelyFormat::Table(table)) => table.has_item_columns,
                other => panic!("{other:?}"),
            }
        };
        assert!(wide("user_id", "product_"));
        assert!(wide("", "song"));
        assert!(!wide("user,hotel_id", "x") && !wide("user,item", "x"));
    }
}
