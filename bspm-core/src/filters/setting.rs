//! What a setting of a filter is: its name, what it may be, and where it stands.

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
    /// Its name; as a flag with hyphens.
    pub name: &'static str,
    /// What the paper calls it.
    pub symbol: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// What its values are.
    pub kind: SettingKind,
    /// The least and the greatest number that it may be.
    pub range: (f64, f64),
    /// What a search tries.
    pub search: Search,
    pub(crate) get: fn(&T) -> Option<String>,
    pub(crate) set: fn(&mut T, &str) -> Result<()>,
}

/// What the values of a setting are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// A real number.
    Number,
    /// A whole number.
    Count,
    /// One of some words.
    Word,
}

/// The values of a setting that a search tries.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Search {
    /// The one that it has.
    Fixed,
    /// Numbers, all equally likely.
    Linear(f64, f64),
    /// Positive numbers, whose logarithms are equally likely.
    Log(f64, f64),
    /// Numbers of singular vectors, as many as the matrix allows.
    Factors,
    /// These.
    Words(&'static [&'static str]),
}

/// Any number, or what other checks allow.
pub(crate) const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The largest finite number of each kind.
pub(crate) const F32_MAX: f64 = f32::MAX as f64;

/// The most that degrees may be made larger by: their sixth powers, and the inverses of those, are
/// numbers that `f32` has.
pub(crate) const MOST_OFFSET: f64 = 1e6;
pub(crate) const F64_MAX: f64 = f64::MAX;

/// What a number of items, or of singular vectors, may be at most: that of the items that a
/// matrix may have.
pub(crate) const MOST_ITEMS: f64 = Interactions::MAX_SIDE as f64;
pub(crate) const MOST_FACTORS: f64 = MOST_ITEMS;

/// What a number of steps, layers or degrees may be at most: each is a product with the matrix.
pub(crate) const MOST_STEPS: f64 = 10_000.0;

impl<T> Setting<T> {
    /// Its value as text, as [`FilterConfig::set`](crate::FilterConfig::set) reads it; none
    /// where the process that it belongs to is off.
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

/// The setting of this name in a table.
pub(crate) fn named<T>(table: &'static [Setting<T>], name: &str) -> Result<&'static Setting<T>> {
    table
        .iter()
        .find(|setting| setting.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|it| it.name).collect();
            let expected = match names.len() {
                0 => "no setting, since this filter has none".into(),
                _ => names.join(", "),
            };
            invalid("setting", expected, format!("{name:?}"))
        })
}

/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first setting that is
/// outside its range.
pub(crate) fn check_all<T>(table: &'static [Setting<T>], settings: &T) -> Result<()> {
    table.iter().try_for_each(|setting| setting.check(settings))
}

/// Reads a value of a setting from text.
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

/// What has a table of its settings.
pub(crate) trait Table: Sized + 'static {
    /// All settings.
    fn table() -> &'static [Setting<Self>];
}

/// The table of the settings of a filter whose fields are its settings.
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

            /// The published settings for a data set, as those of
            /// [`FilterConfig::published`](crate::FilterConfig::published).
            pub fn published(data: $crate::Preset) -> Self {
                <Self as $crate::filters::contract::Settings>::published(data)
            }

            $(
                #[doc = concat!("The same with this `", stringify!($name), "`. ", $doc, ".")]
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

/// What the type of a setting can be read from.
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

/// Words that a setting may be, with their names as text and in serde.
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

        impl $type {
            const ALL: &'static [Self] = &[Self::$first, $(Self::$word),*];

            /// The name that [`FromStr`](std::str::FromStr) reads.
            pub fn name(self) -> &'static str {
                match self {
                    Self::$first => $first_name,
                    $(Self::$word => $name,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl $crate::filters::setting::SettingValue for $type {
            fn read(&mut self, _name: &'static str, text: &str) -> bspm_data::Result<()> {
                *self = text.parse()?;
                Ok(())
            }
        }

        impl std::str::FromStr for $type {
            type Err = bspm_data::Error;

            fn from_str(text: &str) -> bspm_data::Result<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == text).ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|word| word.name()).collect();
                    bspm_data::parameter::invalid($parameter, names.join(", "), format!("{text:?}"))
                })
            }
        }
    };
}
pub(crate) use words;
