//! Settings of filters: names, ranges, and access to their values.

use std::str::FromStr;

use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::{check_range, invalid};

/// A setting of the filter that `T` configures.
///
/// # Examples
///
/// ```
/// use bspm_core::Preset;
/// use bspm_core::filters::GfCf;
///
/// let names: Vec<&str> = GfCf::SETTINGS.iter().map(|setting| setting.name).collect();
/// assert_eq!(names, ["factor_dim", "alpha", "offset"]);
/// let settings = GfCf::published(Preset::Gowalla).factor_dim(64);
/// assert_eq!(GfCf::SETTINGS[0].get(&settings).unwrap(), "64");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting<T: 'static> {
    /// The name of the setting; the flag has hyphens instead of underscores.
    pub name: &'static str,
    /// The symbol in the paper.
    pub symbol: &'static str,
    /// A description in one line.
    pub doc: &'static str,
    /// The kind of the values.
    pub kind: SettingKind,
    /// The smallest and the largest number.
    pub range: (f64, f64),
    /// The values that a search tries.
    pub search: Search,
    pub(crate) get: fn(&T) -> Option<String>,
    pub(crate) set: fn(&mut T, &str) -> Result<()>,
}

/// The kind of the values of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// A real number.
    Number,
    /// A whole number.
    Count,
    /// One of several words.
    Word,
}

/// The values of a setting that a search tries.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Search {
    /// Only the current value.
    Fixed,
    /// Numbers from a range, uniformly distributed.
    Linear(f64, f64),
    /// Positive numbers from a range, with uniformly distributed logarithms.
    Log(f64, f64),
    /// Numbers of singular vectors, up to the limit of the matrix.
    Factors,
    /// These words.
    Words(&'static [&'static str]),
}

/// Any number; other checks apply.
pub(crate) const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The largest finite number of each type.
pub(crate) const F32_MAX: f64 = f32::MAX as f64;

/// The maximum offset of degrees: `f32` can represent the sixth powers of the degrees and their
/// inverses.
pub(crate) const MOST_OFFSET: f64 = 1e6;
pub(crate) const F64_MAX: f64 = f64::MAX;

/// The maximum of a number of items or of singular vectors: the maximum number of items of a matrix.
pub(crate) const MOST_ITEMS: f64 = Interactions::MAX_SIDE as f64;
pub(crate) const MOST_FACTORS: f64 = MOST_ITEMS;

/// The maximum of a number of steps, layers or degrees, each of which is a product with the matrix.
pub(crate) const MOST_STEPS: f64 = 10_000.0;

impl<T> Setting<T> {
    /// The value as text, which [`FilterConfig::set`](crate::FilterConfig::set) parses; `None` if its
    /// process is off.
    pub fn get(&self, settings: &T) -> Option<String> {
        (self.get)(settings)
    }

    fn check(&self, settings: &T) -> Result<()> {
        let (least, most) = self.range;
        let Some(text) = self.get(settings) else {
            return Ok(());
        };
        match self.kind {
            SettingKind::Word => Ok(()),
            SettingKind::Number => {
                let value = text.parse().unwrap_or(f64::NAN);
                check_range(self.name, value, least..=most)
            }
            SettingKind::Count => match text.parse::<f64>() {
                Ok(count) if count > most => {
                    Err(invalid(self.name, format!("at most {most}"), text))
                }
                Ok(count) if count < least => {
                    Err(invalid(self.name, format!("at least {least}"), text))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Returns the setting with this name in a table.
pub(crate) fn named<T>(table: &'static [Setting<T>], name: &str) -> Result<&'static Setting<T>> {
    table
        .iter()
        .find(|setting| setting.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|it| it.name).collect();
            let expected = match names.len() {
                0 => "no setting, because this filter has none".into(),
                _ => names.join(", "),
            };
            invalid("setting", expected, format!("{name:?}"))
        })
}

/// Returns [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first setting outside its
/// range.
pub(crate) fn check_all<T>(table: &'static [Setting<T>], settings: &T) -> Result<()> {
    table.iter().try_for_each(|setting| setting.check(settings))
}

/// Parses the value of a setting.
pub(crate) fn parse<T: FromStr>(
    parameter: &'static str,
    expected: &str,
    text: &str,
    value: &mut T,
) -> Result<()> {
    *value = text
        .parse()
        .map_err(|_| invalid(parameter, expected, format!("{text:?}")))?;
    Ok(())
}

/// A configuration with a table of its settings.
pub(crate) trait Table: Sized + 'static {
    /// All settings.
    fn table() -> &'static [Setting<Self>];
}

/// Defines the table of the settings of a filter whose fields are its settings.
macro_rules! settings {
    ($type:ty {
        $($name:ident: $value:ident ($symbol:literal): $kind:ident $range:expr, $search:expr, $doc:literal;)*
    }) => {
        impl $type {
            /// All settings.
            pub const SETTINGS: &'static [$crate::filters::Setting<Self>] = &[
                $($crate::filters::setting::Setting {
                    name: stringify!($name),
                    symbol: $symbol,
                    doc: $doc,
                    kind: $crate::filters::setting::SettingKind::$kind,
                    range: $range,
                    search: $search,
                    get: |settings| Some(settings.$name.to_string()),
                    set: |settings, text| {
                        $crate::filters::setting::SettingValue::read(
                            &mut settings.$name,
                            stringify!($name),
                            text,
                        )
                    },
                },)*
            ];

            /// Returns the published settings for a data set; see
            /// [`FilterConfig::published`](crate::FilterConfig::published).
            pub fn published(data: $crate::Preset) -> Self {
                <Self as $crate::filters::filter_settings::Settings>::published(data)
            }

            /// Returns settings for a matrix of this shape; see
            /// [`FilterConfig::for_shape`](crate::FilterConfig::for_shape).
            pub fn for_shape(users: usize, items: usize) -> Self {
                <Self as $crate::filters::filter_settings::Settings>::for_shape(users, items)
            }

            $(
                #[doc = concat!("Sets `", stringify!($name), "`. ", $doc, ".")]
                #[must_use]
                pub fn $name(mut self, $name: $value) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }

        impl $crate::filters::setting::Table for $type {
            fn table() -> &'static [$crate::filters::Setting<Self>] {
                Self::SETTINGS
            }
        }
    };
}
pub(crate) use settings;

/// The type of a setting, and a description of its values for errors.
pub(crate) trait SettingValue {
    fn read(&mut self, name: &'static str, text: &str) -> Result<()>;
}

macro_rules! setting_values {
    ($($type:ty: $expected:literal),*) => {
        $(impl SettingValue for $type {
            fn read(&mut self, name: &'static str, text: &str) -> Result<()> {
                parse(name, $expected, text, self)
            }
        })*
    };
}

setting_values!(f32: "a number", f64: "a number", usize: "a whole number");

/// Defines an enum of the words of a setting, with their names as text and in serde.
macro_rules! words {
    (
        $(#[$doc:meta])* $type:ident($parameter:literal) {
            $(#[$first_doc:meta])* $first:ident = $first_name:literal,
            $($(#[$word_doc:meta])* $word:ident = $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $type {
            $(#[$first_doc])* #[default] #[serde(rename = $first_name)] $first,
            $($(#[$word_doc])* #[serde(rename = $name)] $word,)*
        }

        bspm_data::names! {
            $type($parameter):
            $first = $first_name,
            $($word = $name,)*
        }

        impl $crate::filters::setting::SettingValue for $type {
            fn read(&mut self, _name: &'static str, text: &str) -> bspm_data::Result<()> {
                *self = text.parse()?;
                Ok(())
            }
        }
    };
}
pub(crate) use words;
