//! The list of all filters.
//!
//! To add a filter, implement [`Settings`] in a new module, and add a line to the list at the end.

mod mix;
mod neighbours;

use serde::{Deserialize, Serialize};

pub use mix::{Mix, MixPart};
pub use neighbours::Neighbours;

use super::bspm::config::BspmConfig;
use super::cheby_cf::ChebyCf;
use super::ease_dan::EaseDan;
use super::ease_r::EaseR;
use super::family::Family;
use super::filter_settings::Settings;
use super::gf_cf::GfCf;
use super::item_graph::ItemGraph;
use super::item_knn::ItemKnn;
use super::lgcn_ide::LgcnIde;
use super::link_prop::LinkProp;
use super::popularity::Popularity;
use super::preset::Preset;
use super::rp3beta::Rp3Beta;
use super::setting::{F32_MAX, Search, Setting, SettingKind, Table, named};
use super::sgfcf::Sgfcf;
use super::svd_ae::SvdAe;
use super::turbo_cf::TurboCf;
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::parameter::{check_memory, expected_number, invalid};
use bspm_data::{Error, Result};

macro_rules! filters {
    (named { $($(#[$named_doc:meta])* $named:ident($named_settings:ty),)* }
     made elsewhere { $($(#[$own_doc:meta])* $own:ident($own_settings:ty),)* }) => {
        filters! {
            $($(#[$named_doc])* $named($named_settings),)*
            $($(#[$own_doc])* $own($own_settings),)*
        }

        impl FilterConfig {
            /// The names of all filters that can be fitted by name.
            pub const NAMES: &'static [&'static str] = &[$(<$named_settings>::NAME),*];

            /// Returns the filter with this name, with its published settings for a data set.
            ///
            /// If no settings are published for the data set, those named in the documentation of the
            /// filter are used.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for an unknown name.
            pub fn published(name: &str, data: Preset) -> Result<Self> {
                $(if name == <$named_settings>::NAME {
                    return Ok(<$named_settings>::published(data).into());
                })*
                Err(unknown_filter(name))
            }

            /// Returns the filter with this name, with settings for a matrix of this shape,
            /// `(users, items)`: [`BspmConfig::for_shape`], and for other filters those published for
            /// Gowalla, with at most a twenty-fourth of the smaller side as the number of singular
            /// vectors (but at least 2).
            ///
            /// The limit was chosen on held-out interactions of four data sets: the published numbers
            /// are near the best on two with more than 10,000 users and items, and three to ten times
            /// too large on two with about 1,000.
            ///
            /// # Errors
            ///
            /// As [`published`](Self::published).
            ///
            /// # Examples
            ///
            /// ```
            /// use bspm_core::filters::GfCf;
            /// use bspm_core::{FilterConfig, Preset};
            ///
            /// let published = GfCf::published(Preset::Gowalla);
            /// let config = FilterConfig::for_shape("gf-cf", (29_858, 40_981))?;
            /// assert_eq!(config, published.clone().into());
            /// let config = FilterConfig::for_shape("gf-cf", (943, 1_682))?;
            /// assert_eq!(config, published.factor_dim(39).into());
            /// assert_eq!(config, GfCf::for_shape(943, 1_682).into());
            /// # Ok::<(), bspm_core::Error>(())
            /// ```
            pub fn for_shape(name: &str, shape: (usize, usize)) -> Result<Self> {
                let (users, items) = shape;
                $(if name == <$named_settings>::NAME {
                    return Ok(<$named_settings>::for_shape(users, items).into());
                })*
                Err(unknown_filter(name))
            }
        }
    };
    ($($(#[$doc:meta])* $variant:ident($settings:ty),)*) => {
        /// A filter and its settings.
        ///
        /// serde names the filter like [`name`](Self::name):
        /// `{"gf-cf": {"factor_dim": 256, "alpha": 0.3, "offset": 0.0}}`.
        ///
        /// # Examples
        ///
        /// ```
        /// use bspm_core::filters::GfCf;
        /// use bspm_core::{FilterConfig, Preset};
        ///
        /// let config = FilterConfig::published("gf-cf", Preset::Gowalla)?;
        /// assert_eq!(config, FilterConfig::from(GfCf::published(Preset::Gowalla)));
        /// let config = FilterConfig::from(GfCf::published(Preset::Gowalla).alpha(0.2));
        /// assert_eq!(config.settings()[1].value.as_deref(), Some("0.2"));
        /// assert_eq!(FilterConfig::NAMES[0], "bspm");
        /// # Ok::<(), bspm_core::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum FilterConfig {
            $($(#[$doc])* $variant($settings),)*
        }

        $(impl From<$settings> for FilterConfig {
            fn from(settings: $settings) -> Self {
                Self::$variant(settings)
            }
        })*

        impl FilterConfig {
            /// The name of the filter.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => <$settings>::NAME,)*
                }
            }

            /// Checks the settings. Fitting does this first.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first setting outside its range.
            pub fn check(&self) -> Result<()> {
                match self {
                    $(Self::$variant(settings) => settings.check(),)*
                }
            }

            /// The settings, in the order of their table.
            pub fn settings(&self) -> Vec<SettingInfo> {
                match self {
                    $(Self::$variant(settings) => infos(settings),)*
                }
            }

            /// Sets the setting with this name from a text.
            ///
            /// Ranges are checked by [`check`](Self::check) and by fitting.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for an unknown name, with all
            /// names, and for an invalid text.
            ///
            /// # Examples
            ///
            /// ```
            /// # use bspm_core::{FilterConfig, Preset};
            /// let mut config = FilterConfig::published("ease-r", Preset::Gowalla)?;
            /// config.set("lambda", "250")?;
            /// assert_eq!(config.settings()[0].value.as_deref(), Some("250"));
            /// # Ok::<(), bspm_core::Error>(())
            /// ```
            pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
                match self {
                    $(Self::$variant(settings) => {
                        (named(Table::table(), name)?.set)(settings, text)
                    })*
                }
            }

            /// See [`Settings::memory`].
            pub(crate) fn memory(&self, interactions: &Interactions) -> usize {
                match self {
                    $(Self::$variant(settings) => settings.memory(interactions),)*
                }
            }

            /// Returns [`Error::MemoryBudget`](crate::Error::MemoryBudget) if a fit needs more memory than
            /// the budget of the backend.
            pub(crate) fn check_budget<B: Backend>(
                &self,
                backend: Checked<'_, B>,
                interactions: &Interactions,
            ) -> Result<()> {
                let Some(budget) = backend.memory_budget() else {
                    return Ok(());
                };
                let (users, items) = (interactions.users(), interactions.items());
                let what = || format!("fitting {} to {users} users x {items} items", self.name());
                check_memory(what, self.memory(interactions), budget)
            }

            pub(crate) fn fit<B: Backend>(
                &self,
                backend: Checked<'_, B>,
                interactions: &Interactions,
                source: Source<'_>,
            ) -> Result<Box<dyn Filter<B>>> {
                self.check()?;
                if let Source::Fit(..) = source {
                    self.check_budget(backend, interactions)?;
                }
                match self {
                    $(Self::$variant(settings) => settings.fit(backend, interactions, source),)*
                }
            }
        }
    };
}

/// A setting of a filter, and its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SettingInfo {
    /// The name of the setting.
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
    /// The value as text; `None` if its process is off.
    pub value: Option<String>,
    /// What the other settings would have to be for this one to have an effect; `None` if it has one.
    pub needs: Option<&'static str>,
}

impl SettingInfo {
    /// Describes the accepted values: the range of a number, or the words. Returns `None` for a word
    /// whose values are only in [`doc`](Self::doc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{FilterConfig, Preset};
    /// let config = FilterConfig::published("turbo-cf", Preset::Gowalla)?;
    /// let values: Vec<String> = config.settings().iter().filter_map(|it| it.values()).collect();
    /// assert_eq!(values[0], "a number from -4 to 4");
    /// assert_eq!(values[2], "linear, second-order, third-order");
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn values(&self) -> Option<String> {
        let (least, most) = self.range;
        match (self.kind, self.search) {
            (SettingKind::Number, _) => Some(expected_number(least, most)),
            (SettingKind::Count, _) if most > F32_MAX => {
                Some(format!("a whole number, {least} or above"))
            }
            (SettingKind::Count, _) => Some(format!("a whole number from {least} to {most}")),
            (SettingKind::Word, Search::Words(words)) => Some(words.join(", ")),
            (SettingKind::Word, _) => None,
        }
    }
}

fn unknown_filter(name: &str) -> Error {
    invalid(
        "filter",
        FilterConfig::NAMES.join(", "),
        format!("{name:?}"),
    )
}

fn infos<T: Settings>(settings: &T) -> Vec<SettingInfo> {
    let unused = settings.unused();
    let needs = |name: &&str| {
        let reason = unused.iter().find(|it| it.names.contains(name));
        reason.map(|it| it.needs)
    };
    let info = |setting: &Setting<T>| SettingInfo {
        name: setting.name,
        symbol: setting.symbol,
        doc: setting.doc,
        kind: setting.kind,
        range: setting.range,
        search: setting.search,
        value: setting.get(settings),
        needs: needs(&setting.name),
    };
    T::table().iter().map(info).collect()
}

impl FilterConfig {
    /// Checks that each setting that differs from `base` has an effect beside the other settings.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a changed setting without effect, with the
    /// setting that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{FilterConfig, Preset};
    /// let base = FilterConfig::published("item-knn", Preset::Gowalla)?;
    /// let mut config = base.clone();
    /// config.set("alpha", "0.5")?;
    /// let error = config.check_used(&base).unwrap_err().to_string();
    /// assert!(error.contains("similarity = tversky"), "{error}");
    /// config.set("similarity", "tversky")?;
    /// config.check_used(&base)?;
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn check_used(&self, base: &Self) -> Result<()> {
        let old = base.settings();
        for setting in self.settings() {
            let is_old = |it: &SettingInfo| it.name == setting.name && it.value == setting.value;
            if let Some(needs) = setting.needs
                && !old.iter().any(is_old)
            {
                let expected = format!("{needs}, because it has no effect otherwise");
                return Err(invalid(
                    setting.name,
                    expected,
                    setting.value.unwrap_or_default(),
                ));
            }
        }
        Ok(())
    }

    /// The settings of BSPM, if this is the BSPM filter.
    pub fn bspm(&self) -> Option<&BspmConfig> {
        match self {
            Self::Bspm(config) => Some(config),
            _ => None,
        }
    }

    /// The name of the filter and the settings that differ from those of [`for_shape`](Self::for_shape),
    /// for a report. The label of a mix has the share and the label of each part.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{FilterConfig, Preset};
    /// let mut config = FilterConfig::published("ease-r", Preset::Gowalla)?;
    /// config.set("lambda", "250")?;
    /// assert_eq!(config.label(), "ease-r lambda=250");
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn label(&self) -> String {
        if let Self::Mix(mix) = self {
            let all: f64 = mix.parts.iter().map(|it| it.share).sum();
            let parts = mix.parts.iter();
            let parts: Vec<String> = parts
                .map(|it| format!("{:.2} {}", it.share / all, it.filter.label()))
                .collect();
            return format!("mix of {}", parts.join(" and "));
        }
        if let Self::ItemGraph(graph) = self {
            return graph.name.clone();
        }
        let usual = Self::for_shape(self.name(), (1, 1));
        let usual = usual.map_or_else(|_| Vec::new(), |config| config.settings());
        let settings = self.settings().into_iter();
        let changed = settings.filter(|it| it.name != "memory_budget" && !usual.contains(it));
        let values = changed.filter_map(|it| Some(format!(" {}={}", it.name, it.value?)));
        format!("{}{}", self.name(), values.collect::<String>())
    }
}

filters! {
    named {
    /// Blurring-sharpening process models.
    Bspm(BspmConfig),
    /// Blur and an ideal low-pass filter.
    GfCf(GfCf),
    /// LightGCN without training, with infinitely many dimensions.
    LgcnIde(LgcnIde),
    /// Degree-weighted paths of length three.
    LinkProp(LinkProp),
    /// A polynomial of the item graph with its entries raised to a power.
    TurboCf(TurboCf),
    /// Chebyshev interpolation of a plateau.
    ChebyCf(ChebyCf),
    /// A dense linear autoencoder.
    EaseR(EaseR),
    /// EASE-R of a normalised matrix.
    EaseDan(EaseDan),
    /// A linear autoencoder of low rank.
    SvdAe(SvdAe),
    /// Neighbours by cosine or Tversky's index.
    ItemKnn(ItemKnn),
    /// Random walks of three steps with a popularity penalty.
    #[serde(rename = "rp3beta")]
    Rp3Beta(Rp3Beta),
    /// Powers of the singular values plus paths of length three.
    Sgfcf(Sgfcf),
    /// A general form that contains the spectral filters.
    Family(Family),
    /// The same list for all users.
    Popularity(Popularity),
    /// A weighted sum of filters.
    Mix(Mix),
    /// The neighbour table of another filter.
    Neighbours(Neighbours),
    }
    made elsewhere {
        /// A custom filter, defined by an item graph.
        ItemGraph(ItemGraph),
    }
}
