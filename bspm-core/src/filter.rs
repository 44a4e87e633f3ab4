//! What a filter is, and which there are.
//!
//! A filter turns the histories of a tile of users into their scores. Every one is an
//! affine function of the history, so the driver, fold-in, explanations, model files and
//! metrics work for each. A new filter is a file in `filters/` that implements
//! [`Settings`] and [`Filter`], and a line in the list at the end of this file.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::backend::{Backend, SharedMatrix};
use crate::config::{BspmConfig, Preset};
use crate::error::{Error, Result};
use crate::filters::{ChebyCf, EaseR, GfCf, ItemKnn, LgcnIde, LinkProp, Popularity, TurboCf};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::process::{Scratch, Tile};
use crate::truncated_svd::SvdReport;

/// What fitting a filter needs to know.
pub(crate) trait Settings: Clone + Serialize + DeserializeOwned {
    /// The name that configurations and command lines call it.
    const NAME: &'static str;

    /// The published settings for a data set.
    fn published(data: Preset) -> Self;

    /// [`Error::InvalidParameter`] for the first parameter outside its range.
    fn check(&self) -> Result<()>;

    /// Fits the filter to checked settings.
    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>>;

    /// The filter that [`Filter::tensors`] were saved of; fits it anew where there are
    /// none, because that takes no longer.
    fn open<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        _tensors: &dyn SavedTensors,
        options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        self.fit(backend, interactions, options)
    }
}

/// A fitted filter on a device.
pub(crate) trait Filter<B: Backend>: Send + Sync {
    /// What a tile must hold besides the scores.
    fn scratch(&self) -> Scratch;

    /// Scores the histories into `tile.scores`, `items x columns`, but for
    /// [`item_scale`](Self::item_scale).
    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()>;

    /// What the rows of a scored tile are multiplied by (`items x 1`, positive).
    fn item_scale(&self) -> &B::Matrix;

    /// What a model file keeps of it.
    fn tensors(&self, _backend: &B) -> Result<Vec<(&'static str, Tensor<'_, B>)>> {
        Ok(Vec::new())
    }

    /// The singular values of `R` whose vectors it uses, descending.
    fn singular_values(&self) -> &[f32] {
        &[]
    }

    /// What computing them took, where this was not read from a file.
    fn svd_report(&self) -> Option<&SvdReport> {
        None
    }
}

/// The histories of a tile's users, as the driver hands them on.
#[derive(Clone, Copy)]
pub(crate) struct TileHistories<'a> {
    histories: &'a [&'a [u32]],
    columns: usize,
}

impl<'a> TileHistories<'a> {
    pub(crate) fn new(histories: &'a [&'a [u32]], columns: usize) -> Self {
        Self { histories, columns }
    }

    /// How many columns the tile has; there may be fewer histories.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// The histories on the device, each item with its weight.
    pub(crate) fn upload<B: Backend>(self, backend: &B, weights: &[f32]) -> Result<B::Histories> {
        backend.upload_histories(self.histories, weights, self.columns)
    }
}

/// A part of a fitted filter.
pub(crate) enum Tensor<'a, B: Backend> {
    /// On the device.
    Matrix(&'a B::Matrix),
    /// On the host.
    Floats(Cow<'a, [f32]>),
    /// On the host.
    Indices(Cow<'a, [u32]>),
}

/// Where the parts of a saved filter are read from.
pub(crate) trait SavedTensors {
    fn matrix(&self, name: &str) -> Result<SharedMatrix>;
    fn floats(&self, name: &str) -> Result<Vec<f32>>;
    fn indices(&self, name: &str) -> Result<Vec<u32>>;
    /// The error for parts that contradict each other or the rest of the file.
    fn invalid(&self, expected: &str, found: String) -> Error;
}

/// [`Error::InvalidParameter`] unless the number is finite and within `range`.
pub(crate) fn check_range(
    parameter: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = match (*range.start(), *range.end()) {
        (start, f64::MAX) => format!("a finite number, {start} or above"),
        (start, end) => format!("a number from {start} to {end}"),
    };
    Err(Error::InvalidParameter {
        parameter,
        expected,
        found: value.to_string(),
    })
}

/// [`Error::InvalidParameter`] when the count is 0.
pub(crate) fn check_positive(parameter: &'static str, count: usize) -> Result<()> {
    if count > 0 {
        return Ok(());
    }
    Err(Error::InvalidParameter {
        parameter,
        expected: "at least 1".into(),
        found: "0".into(),
    })
}

macro_rules! filters {
    ($($(#[$doc:meta])* $variant:ident($settings:ty),)*) => {
        /// Which filter, and its settings.
        ///
        /// serde names the filter as [`name`](Self::name) does:
        /// `{"gf-cf": {"factor_dim": 256, "alpha": 0.3}}`.
        ///
        /// # Examples
        ///
        /// ```
        /// use bspm_core::{FilterConfig, GfCf, Preset};
        ///
        /// let config = FilterConfig::published("gf-cf", Preset::Gowalla)?;
        /// assert_eq!(config, FilterConfig::from(GfCf { factor_dim: 256, alpha: 0.3 }));
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
            /// The names of all filters.
            pub const NAMES: &'static [&'static str] = &[$(<$settings>::NAME),*];

            /// The filter of this name with its published settings for a data set.
            ///
            /// Where a paper gives none for it, they are those for the data set that its
            /// documentation names.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidParameter`] for another name.
            pub fn published(name: &str, data: Preset) -> Result<Self> {
                $(if name == <$settings>::NAME {
                    return Ok(<$settings>::published(data).into());
                })*
                Err(Error::InvalidParameter {
                    parameter: "filter",
                    expected: Self::NAMES.join(", "),
                    found: format!("{name:?}"),
                })
            }

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
            /// [`Error::InvalidParameter`] for the first parameter outside its range.
            pub fn check(&self) -> Result<()> {
                match self {
                    $(Self::$variant(settings) => settings.check(),)*
                }
            }

            pub(crate) fn fit<B: Backend>(
                &self,
                backend: &B,
                interactions: &Interactions,
                options: &FitOptions,
            ) -> Result<Box<dyn Filter<B>>> {
                self.check()?;
                match self {
                    $(Self::$variant(settings) => settings.fit(backend, interactions, options),)*
                }
            }

            pub(crate) fn open<B: Backend>(
                &self,
                backend: &B,
                interactions: &Interactions,
                tensors: &dyn SavedTensors,
                options: &FitOptions,
            ) -> Result<Box<dyn Filter<B>>> {
                self.check()?;
                match self {
                    $(Self::$variant(settings) => {
                        settings.open(backend, interactions, tensors, options)
                    })*
                }
            }
        }
    };
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
    /// Cosine neighbours.
    ItemKnn(ItemKnn),
    /// The same list for everybody.
    Popularity(Popularity),
}
