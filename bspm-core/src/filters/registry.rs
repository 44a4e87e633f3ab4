//! Which filters there are.
//!
//! A new filter is a file beside this one that implements [`Settings`], and a line in the
//! list at the end.

mod mix;
mod neighbours;

use serde::{Deserialize, Serialize};

pub use mix::{Mix, MixPart};
pub use neighbours::Neighbours;

use super::bspm::config::BspmConfig;
use super::cheby_cf::ChebyCf;
use super::contract::Settings;
use super::ease_dan::EaseDan;
use super::ease_r::EaseR;
use super::family::Family;
use super::gf_cf::GfCf;
use super::item_graph::ItemGraph;
use super::item_knn::ItemKnn;
use super::lgcn_ide::LgcnIde;
use super::link_prop::LinkProp;
use super::popularity::Popularity;
use super::preset::Preset;
use super::rp3beta::Rp3Beta;
use super::setting::{Search, Setting, Table, named};
use super::sgfcf::Sgfcf;
use super::svd_ae::SvdAe;
use super::turbo_cf::TurboCf;
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::{check_memory, invalid};

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

            /// The filter of this name with its published settings for a data set.
            ///
            /// Where a paper gives none for it, they are those for the data set that its
            /// documentation names.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for another name.
            pub fn published(name: &str, data: Preset) -> Result<Self> {
                $(if name == <$named_settings>::NAME {
                    return Ok(<$named_settings>::published(data).into());
                })*
                Err(invalid("filter", Self::NAMES.join(", "), format!("{name:?}")))
            }

            /// The filter of this name with settings for a matrix of this shape, `(users, items)`:
            /// [`BspmConfig::for_shape`], and for other filters those published for Gowalla.
            ///
            /// # Errors
            ///
            /// As [`published`](Self::published).
            pub fn for_shape(name: &str, (users, items): (usize, usize)) -> Result<Self> {
                match name {
                    "bspm" => Ok(BspmConfig::for_shape(users, items).into()),
                    name => Self::published(name, Preset::Gowalla),
                }
            }
        }
    };
    ($($(#[$doc:meta])* $variant:ident($settings:ty),)*) => {
        /// Which filter, and its settings.
        ///
        /// serde names the filter as [`name`](Self::name) does:
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

            /// Checks the settings, as fitting does first.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first parameter outside its range.
            pub fn check(&self) -> Result<()> {
                match self {
                    $(Self::$variant(settings) => settings.check(),)*
                }
            }

            /// Its settings, in the order of their table.
            pub fn settings(&self) -> Vec<SettingInfo> {
                match self {
                    $(Self::$variant(settings) => infos(settings),)*
                }
            }

            /// Gives the setting of this name a value.
            ///
            /// Ranges are checked by [`check`](Self::check) and by fitting.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for another name,
            /// with those there are, and for text that is no value of it.
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

            pub(crate) fn fit<B: Backend>(
                &self,
                backend: Checked<'_, B>,
                interactions: &Interactions,
                source: Source<'_>,
            ) -> Result<Box<dyn Filter<B>>> {
                self.check()?;
                if let (Source::Fit(..), Some(budget)) = (source, backend.memory_budget()) {
                    let (users, items) = (interactions.users(), interactions.items());
                    let what = || format!("fitting {} to {users} users x {items} items", self.name());
                    check_memory(what, self.memory(interactions), budget)?;
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
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// What a search tries.
    pub search: Search,
    /// Its value as text; none where the process that it belongs to is off.
    pub value: Option<String>,
}

fn infos<T: Settings>(settings: &T) -> Vec<SettingInfo> {
    let info = |setting: &Setting<T>| SettingInfo {
        name: setting.name,
        doc: setting.doc,
        search: setting.search,
        value: setting.get(settings),
    };
    T::table().iter().map(info).collect()
}

impl FilterConfig {
    /// The settings of BSPM, where this is that filter.
    pub fn bspm(&self) -> Option<&BspmConfig> {
        match self {
            Self::Bspm(config) => Some(config),
            _ => None,
        }
    }
}

filters! {
    named {
    /// Blurring-sharpening process models.
    Bspm(BspmConfig),
    /// Blur and an ideal low-pass filter.
    GfCf(GfCf),
    /// An infinite linear LightGCN.
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
    /// Random walks of three steps, less popular items first.
    #[serde(rename = "rp3beta")]
    Rp3Beta(Rp3Beta),
    /// A power of the singular values beside paths of length three.
    Sgfcf(Sgfcf),
    /// One form that contains the spectral filters.
    Family(Family),
    /// The same list for everybody.
    Popularity(Popularity),
    /// A weighted sum of filters.
    Mix(Mix),
    /// The neighbour table of another filter.
    Neighbours(Neighbours),
    }
    made elsewhere {
        /// An item graph that a program of one's own made.
        ItemGraph(ItemGraph),
    }
}
