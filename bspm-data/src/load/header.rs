//! Finds rows of a text table that are not data: repeated headers, and lines of dashes below a header.

use super::options::Places;
use super::plain_text::without_mark;
use crate::error::InvalidRow;

/// The header of a text table.
#[derive(Debug)]
pub(super) struct Header {
    /// The letters of each name.
    names: Vec<Vec<u8>>,
    is_in_file: bool,
    /// Whether a header or a line of dashes may start with this byte.
    starts: [bool; 256],
}

/// No header, as in JSON lines.
impl Default for Header {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            is_in_file: false,
            starts: [false; 256],
        }
    }
}

impl Header {
    /// Creates a header of these names, which are in the file or are set by an option or a format.
    pub(super) fn new(names: &[String], is_in_file: bool) -> Self {
        let names: Vec<Vec<u8>> = names
            .iter()
            .map(|name| letters(name.as_bytes()).collect())
            .collect();
        let mut starts = [false; 256];
        let firsts = names.iter().filter_map(|name| name.first());
        let firsts = firsts.flat_map(|&byte| [byte, byte.to_ascii_uppercase()]);
        for byte in firsts.chain(*b"-=+:_ \t\xef") {
            starts[usize::from(byte)] = true;
        }
        Self {
            names,
            is_in_file,
            starts,
        }
    }

    /// Returns why a row is not data and what was expected instead, if it is not. `field` returns the field
    /// of a column.
    pub(super) fn fault<'f>(
        &self,
        places: Places,
        field: impl Fn(usize) -> &'f [u8],
    ) -> Option<(InvalidRow, &'static str)> {
        let (user, item) = (field(places.user), field(places.item));
        let &start = user.first()?;
        if !self.starts[usize::from(start)] {
            return None;
        }
        if is_dashes(user) && is_dashes(item) {
            return Some((InvalidRow::Dashes, "a user id, not a line of dashes"));
        }
        let is_any_name = |field: &[u8]| self.names.iter().any(|name| is_name(field, name));
        if !is_any_name(user) || !is_any_name(item) {
            return None;
        }
        let is_own_name = |place: usize| is_name(field(place), &self.names[place]);
        let is_same = match self.is_in_file {
            true => places.roles().all(|(place, _)| is_own_name(place)),
            false => is_own_name(places.user) && is_own_name(places.item),
        };
        Some(match is_same {
            true => (
                InvalidRow::RepeatedHeader,
                "a user id, not a repeated header",
            ),
            false => (
                InvalidRow::OtherHeader,
                "a user id, not a header with other columns",
            ),
        })
    }
}

/// The bytes of a name in lower case, without spaces, underscores, hyphens and a byte order mark.
fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
    let text = without_mark(text)
        .iter()
        .filter(|byte| !b" \t_-".contains(byte));
    text.map(u8::to_ascii_lowercase)
}

fn is_name(field: &[u8], name: &[u8]) -> bool {
    !name.is_empty() && letters(field).eq(name.iter().copied())
}

/// Whether a field only contains dashes, as in the line below the header of a printed table.
fn is_dashes(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    field.len() >= 2 && field.iter().all(|byte| b"-=+:".contains(byte))
}
