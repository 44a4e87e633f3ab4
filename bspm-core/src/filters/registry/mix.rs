//! A weighted sum of filters. It contains filters, so it is in a module below their list.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::FilterConfig;
use crate::backend::{Backend, Checked, Operand, Scores, Shaped};
use crate::engine::basis::Basis;
use crate::engine::filter::Filter;
use crate::engine::mean_norm::{Length, mean_norm};
use crate::engine::tensors::{OfPart, Source, Tensor, Tensors, part_prefix};
use crate::engine::workspace::{TileHistories, Workspace};
use crate::filters::bspm::config::BspmConfig;
use crate::filters::bspm::solver::Solver;
use crate::filters::cheby_cf::ChebyCf;
use crate::filters::filter_settings::Settings;
use crate::filters::link_prop::LinkProp;
use crate::filters::preset::Preset;
use crate::filters::setting::{ANY, F32_MAX, Search, Setting, SettingKind, Table};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::{check_range, invalid};

/// A mix: the weighted sum of the scores of several filters.
///
/// ```math
/// y = \sum_{p} \frac{w_p}{n_p} \, y^{(p)}
/// ```
///
/// `$y$` has the scores of a history, `$y^{(p)}$` those of a part, `$w_p$` is its share, and `$n_p$` the mean
/// norm of its rows of scores. All users have the same scale, so that a mix is linear in the history like its
/// parts, and fold-in and explanations are exact.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For more accuracy than one filter has: neighbourhood filters and spectral filters make errors on
///   different users, so a mix of two is often better than either.
/// - Not if the time for a list matters: it takes the time of all parts.
///
/// A mix has 1 to [`MOST_PARTS`](Self::MOST_PARTS) parts. A part cannot be a mix. The presets are the best
/// mixes of spectral filters that a search of 15 minutes found on held-out interactions of the training sets
/// of Gowalla and Yelp2018. Other data sets use that of Gowalla.
///
/// # Settings
///
#[doc = include_str!("../settings/mix.md")]
///
/// The configuration has the settings of the parts. `--set` only changes the shares.
///
/// # Cost
///
/// That of the parts, and for the fit the scores of 256 users for each part.
///
/// # Source
///
/// A standard ensemble, without a paper.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::{GfCf, ItemKnn, Mix};
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let spectral = GfCf::for_shape(3, 4);
/// let filter = Mix::new([(0.7, spectral.into()), (0.3, ItemKnn::default().into())]);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Mix {
    /// The parts, from 1 to [`MOST_PARTS`](Self::MOST_PARTS). A part cannot be a mix.
    pub parts: Vec<MixPart>,
}

/// A filter in a mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MixPart {
    /// The factor of the filter; in the range [`Mix::SHARES`].
    pub share: f64,
    /// The filter.
    pub filter: FilterConfig,
}

impl Mix {
    /// Creates a mix of filters with shares.
    pub fn new(parts: impl IntoIterator<Item = (f64, FilterConfig)>) -> Self {
        let part = |(share, filter)| MixPart { share, filter };
        Self {
            parts: parts.into_iter().map(part).collect(),
        }
    }

    /// The published settings for a data set, as those of [`FilterConfig::published`].
    pub fn published(data: Preset) -> Self {
        <Self as Settings>::published(data)
    }

    /// The maximum number of filters in a mix.
    pub const MOST_PARTS: usize = 8;

    /// The smallest and the largest share.
    pub const SHARES: (f64, f64) = (1e-6, F32_MAX);

    /// All settings: the shares, `0.7,0.3`, in the order of the parts.
    pub const SETTINGS: &'static [Setting<Self>] = &[Setting {
        name: "shares",
        symbol: "shares",
        doc: "Share of each part, such as 0.7,0.3",
        kind: SettingKind::Word,
        range: ANY,
        search: Search::Fixed,
        get: |mix| {
            let shares: Vec<String> = mix.parts.iter().map(|it| it.share.to_string()).collect();
            Some(shares.join(","))
        },
        set: |mix, text| {
            let shares: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
            match shares {
                Ok(shares) if shares.len() == mix.parts.len() => {
                    let parts = mix.parts.iter_mut().zip(shares);
                    parts.for_each(|(part, share)| part.share = share);
                    Ok(())
                }
                _ => {
                    let expected = format!("{} numbers separated by commas", mix.parts.len());
                    Err(invalid("shares", expected, format!("{text:?}")))
                }
            }
        },
    }];
}

const NORMS: &str = "mix.norms";

#[derive(Debug)]
struct FittedMix<B: Backend> {
    parts: Vec<FittedPart<B>>,
    norms: Vec<f32>,
    /// The factor of the first part, by which the other factors are divided; `items x 1`.
    item_scale: B::Matrix,
}

#[derive(Debug)]
struct FittedPart<B: Backend> {
    filter: Arc<dyn Filter<B>>,
    factor: f32,
}

impl Table for Mix {
    fn table() -> &'static [Setting<Self>] {
        Self::SETTINGS
    }
}

impl Settings for Mix {
    const NAME: &'static str = "mix";

    /// The best mixes of spectral filters that a search of 15 minutes found on held-out interactions of
    /// the training sets of Gowalla and Yelp2018. Other data sets use that of Gowalla.
    fn published(data: Preset) -> Self {
        let bspm = |solver, time, beta| {
            let builder = BspmConfig::builder().sharpen(solver, time, 1);
            builder.ideal_low_pass(512, beta).unchecked()
        };
        match data {
            Preset::Yelp2018 => {
                let paths = LinkProp::published(data).delta(0.459);
                let bspm = bspm(Solver::Euler, 1.34, 0.3);
                Self::new([(0.401, bspm.into()), (0.702, paths.into())])
            }
            _ => {
                let plateau = ChebyCf::published(data).flatness(2.32).alpha(0.223);
                let bspm = bspm(Solver::Rk4, 2.5, 0.2);
                Self::new([(0.715, bspm.into()), (0.444, plateau.into())])
            }
        }
    }

    fn check(&self) -> Result<()> {
        if !(1..=Self::MOST_PARTS).contains(&self.parts.len()) {
            let expected = format!("1 to {} parts", Self::MOST_PARTS);
            return Err(invalid("mix", expected, self.parts.len()));
        }
        for part in &self.parts {
            let (least, most) = Self::SHARES;
            check_range("share", part.share, least..=most)?;
            if matches!(part.filter, FilterConfig::Mix(_)) {
                return Err(invalid("mix", "filters other than mix", "a mix"));
            }
            part.filter.check()?;
        }
        Ok(())
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        let parts = self.parts.iter();
        let bytes = parts.map(|part| part.filter.memory(interactions));
        bytes.fold(0, usize::saturating_add)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let fit = |(place, part): (usize, &MixPart)| match source {
            Source::Fit(..) => part.filter.fit(backend, interactions, source),
            Source::Saved(tensors) => {
                let of_part = OfPart::new(tensors, place);
                part.filter
                    .fit(backend, interactions, Source::Saved(&of_part))
            }
        };
        let filters = self.parts.iter().enumerate().map(fit);
        let filters = filters.map(|filter| filter.map(Arc::from));
        let filters = filters.collect::<Result<_>>()?;
        match source {
            Source::Saved(tensors) => {
                let norms = tensors.positive_floats(NORMS, self.parts.len())?;
                self.sum(backend, interactions, filters, norms)
            }
            Source::Fit(..) => self.of_fitted(backend, interactions, filters),
        }
    }
}

impl Mix {
    /// Returns the mix of parts that are fitted to `interactions`.
    pub(crate) fn of_fitted<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        filters: Vec<Arc<dyn Filter<B>>>,
    ) -> Result<Box<dyn Filter<B>>> {
        let norm = |filter: &Arc<dyn Filter<B>>| {
            Ok(mean_norm(backend, interactions, &**filter, Length::Norm)? as f32)
        };
        let norms = filters.iter().map(norm).collect::<Result<_>>()?;
        self.sum(backend, interactions, filters, norms)
    }

    fn sum<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        filters: Vec<Arc<dyn Filter<B>>>,
        norms: Vec<f32>,
    ) -> Result<Box<dyn Filter<B>>> {
        let parts = filters.into_iter().zip(&self.parts).zip(&norms);
        let parts = parts.map(|((filter, part), norm)| FittedPart {
            filter,
            factor: (part.share / f64::from(*norm)) as f32,
        });
        let parts: Vec<FittedPart<B>> = parts.collect();
        let first = parts[0].factor;
        Ok(Box::new(FittedMix {
            parts,
            item_scale: backend.upload_column(&vec![first; interactions.items()])?,
            norms,
        }))
    }
}

impl<B: Backend> Filter<B> for FittedMix<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        let parts = self
            .parts
            .iter()
            .map(|part| part.filter.workspace(backend, columns));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let (items, _) = self.item_scale.shape();
        let mix = Workspace::new(backend, items, &[], columns)?;
        Ok(Workspace { parts, ..mix })
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let sum = &mut workspace.scores;
        let parts = self.parts.iter().zip(&mut workspace.parts);
        for (place, (part, workspace)) in parts.enumerate() {
            let scores = part.filter.score(backend, histories, workspace)?;
            let scores = backend.form(scores)?;
            backend.scale_rows(part.filter.item_scale(), scores)?;
            let (scores, keep) = (Operand::Dense(&*scores), if place == 0 { 0.0 } else { 1.0 });
            backend.add_scaled(part.factor / self.parts[0].factor, scores, keep, sum)?;
        }
        Ok(Scores::of(sum))
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let mut sum = Vec::new();
        for part in &self.parts {
            let column = part.filter.column(backend, item)?;
            sum.resize(column.len(), 0.0);
            for (sum, score) in sum.iter_mut().zip(column) {
                *sum += part.factor * score;
            }
        }
        Ok(sum)
    }

    fn base(&self, backend: Checked<'_, B>, item: u32) -> Result<f32> {
        let parts = self.parts.iter();
        let bases = parts.map(|part| Ok(part.factor * part.filter.base(backend, item)?));
        bases.sum()
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn scores_any_item(&self) -> bool {
        self.parts.iter().any(|part| part.filter.scores_any_item())
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let parts = self.parts.iter().enumerate().flat_map(|(place, part)| {
            let tensors = part.filter.tensors().into_iter();
            tensors.map(move |(name, tensor)| {
                (Cow::Owned(format!("{}{name}", part_prefix(place))), tensor)
            })
        });
        let norms = (NORMS.into(), Tensor::Floats(&self.norms));
        parts.chain([norms]).collect()
    }

    fn bases(&self) -> Vec<&Basis<B>> {
        self.parts
            .iter()
            .flat_map(|part| part.filter.bases())
            .collect()
    }
}
