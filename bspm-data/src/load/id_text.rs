//! Ids as text: whole numbers, UUIDs, and texts that mean a missing value.

use super::options::TableOptions;

/// Converts a whole number below 2^53, which no other whole number is rounded to; `None` for other numbers.
pub fn whole_number(number: f64) -> Option<i64> {
    const LIMIT: f64 = (1_u64 << 53) as f64;
    let is_whole = number.fract() == 0.0 && number.abs() < LIMIT;
    is_whole.then_some(number as i64)
}

/// The texts that mean a missing id.
#[derive(Debug)]
pub struct NullValues<'o> {
    texts: Vec<&'o str>,
    /// Whether one of the texts starts with this byte.
    starts: [bool; 256],
}

impl<'o> NullValues<'o> {
    /// The default texts: missing values as written by pandas, Python, SQL, MySQL and Hive.
    pub const USUAL: [&'static str; 8] = [
        "null", "NULL", "None", "NaN", "nan", "<NA>", "<null>", "\\N",
    ];

    /// Returns the texts of the options, or the default ones.
    pub fn new(options: &'o TableOptions) -> Self {
        let texts: Vec<&str> = match &options.null_values {
            Some(texts) => texts.iter().map(String::as_str).collect(),
            None => Self::USUAL.to_vec(),
        };
        let mut starts = [false; 256];
        for start in texts.iter().filter_map(|text| text.bytes().next()) {
            starts[usize::from(start)] = true;
        }
        Self { texts, starts }
    }

    /// Whether a text is empty or means a missing value; surrounding spaces are ignored.
    pub fn contains(&self, text: &str) -> bool {
        let text = text.trim();
        match text.as_bytes().first() {
            None => true,
            Some(&start) => self.starts[usize::from(start)] && self.texts.contains(&text),
        }
    }
}
