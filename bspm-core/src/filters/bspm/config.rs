//! The configuration of BSPM: all settings of the paper, validated.

use serde::{Deserialize, Serialize};

use super::solver::Solver;
use crate::filters::preset::Preset;
use crate::filters::setting::check_all;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// How a process is integrated: `steps` equal steps of `solver` over `[0, time]`.
///
/// The paper's `K` is `steps` and its `T` is `time`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Integration {
    /// The method.
    pub solver: Solver,
    /// `T`: the time at which the process ends; above 0, and at most
    /// [`MAX_TIME`](Self::MAX_TIME).
    pub time: f32,
    /// `K`: the number of steps, from 1 to [`MAX_STEPS`](Self::MAX_STEPS).
    pub steps: usize,
}

impl Integration {
    /// The maximum number of steps of a process.
    pub const MAX_STEPS: usize = 1_000;

    /// The maximum time of a process; those of the paper are below 3.
    pub const MAX_TIME: f32 = 1_000.0;

    /// The maximum number of products with `P` in all steps of a process.
    pub const MAX_PRODUCTS: usize = 2_000;

    /// The maximum factor of an eigenvector; beyond it, `f32` overflows.
    const MAX_GROWTH: f64 = 1e30;

    /// One Euler step over unit time, the published setting of blur and ideal low-pass.
    pub const UNIT_EULER: Self = Self {
        solver: Solver::Euler,
        time: 1.0,
        steps: 1,
    };

    /// `steps` equal steps of `solver` over `[0, time]`.
    pub fn new(solver: Solver, time: f32, steps: usize) -> Self {
        Self {
            solver,
            time,
            steps,
        }
    }

    /// The size of a step, `T / K`.
    pub fn step_size(&self) -> f64 {
        f64::from(self.time) / self.steps as f64
    }

    /// Checks the settings against each other; their ranges are in [`BspmConfig::SETTINGS`].
    fn check(&self, time: &'static str, steps: &'static str) -> Result<()> {
        self.solver.check()?;
        let products = self.solver.products(self.step_size(), -1.0, 0.0) * self.steps;
        if products > Self::MAX_PRODUCTS {
            let expected = format!("at most {} products with P in total", Self::MAX_PRODUCTS);
            return Err(invalid(steps, expected, products));
        }
        let growth = self.solver.factor(self.step_size(), -1.0).abs();
        if growth.powi(self.steps as i32) > Self::MAX_GROWTH {
            let expected = "a time or a number of steps for which scores stay below 1e30";
            return Err(invalid(time, expected, self.time));
        }
        Ok(())
    }
}

/// The settings of the ideal low-pass filter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IdealLowPass {
    /// The number of leading right singular vectors of `R`; at least 1.
    pub factor_dim: usize,
    /// `beta`: the weight in the merge; finite and not negative.
    pub beta: f32,
    /// How the process is integrated.
    pub integration: Integration,
}

/// When the ideal low-pass filter is added to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// Early merge (EM), the authors' `final_sharpening = true`: sharpening starts from
    /// `beta * ideal low-pass + blurred`.
    Early,
    /// Late merge (LM): sharpening starts from the blurred scores, and `beta * ideal low-pass`
    /// is added afterwards.
    Late,
}

bspm_data::names! {
    Merge("merge"):
    Early = "early",
    Late = "late",
}

/// BSPM, a blurring-sharpening process model: blur, an ideal low-pass filter, and sharpening.
///
/// Three processes compute the scores: blurring (`$b$`), the ideal low-pass filter (`$l$`) and sharpening
/// (`$s$`). Each is integrated from 0 to its time by a [`Solver`]:
///
/// ```math
/// \frac{db}{dt} = b P - b, \qquad \frac{dl}{dt} = l F - l, \qquad \frac{ds}{dt} = -s P
/// ```
///
/// Blurring starts from the history, `$b(0) = r$`, and so does the ideal low-pass filter, `$l(0) = r$`.
/// With early merge, sharpening starts from `$s(0) = b(T_b) + \beta \, l(T_{\mathrm{idl}})$`. With late merge,
/// it starts from `$s(0) = b(T_b)$`, and `$\beta \, l(T_{\mathrm{idl}})$` is added to `$s(T_s)$`.
/// Here `$P = R^T R$` is the normalised item graph of `$R = D_u^{-1/2} A D_i^{-1/2}$`, and
/// `$F = D_i^{-1/2} V V^T D_i^{1/2}$` for the leading right singular vectors `$V$` of `$R$`. With one Euler
/// step over unit time, blurring is `$r P$` and the ideal low-pass filter is `$r F$`. With the t-point
/// combination, the mean of the points after each step of blurring and sharpening is used instead of the last
/// point. The offset `$\mu$` is added to all degrees.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For the most accurate lists, computed in batches. Without a preset, use the settings for the shape of the
///   data ([`for_shape`](Self::for_shape)).
/// - Not for requests that need a list in less than 4 ms (Gowalla): `gf-cf`, `family` or a neighbour table
///   ([`Neighbours`](crate::filters::Neighbours)) is faster.
/// - Without the ideal low-pass filter for very sparse or small data: it is the only part that takes time to
///   fit, and it helps least there.
///
/// # Settings
///
#[doc = include_str!("../settings/bspm.md")]
///
/// # Cost
///
/// Fit: the truncated SVD of `factor_dim` vectors, and the products of sharpening with them (early merge). A
/// history: a number of products with `$P$` equal to the degree of all steps (Euler 1, RK4 4 per step) and
/// one product with the vectors. Memory: 8 bytes per interaction (16 with weights), and 4 bytes per item and
/// singular vector, or 8 with early merge and sharpening.
///
/// # Source
///
/// Choi et al., "Blurring-Sharpening Process Models for Collaborative Filtering", SIGIR 2023, arXiv
/// 2211.09324: `$R$` and `$P$` in section 3.1, blurring and the ideal low-pass filter in section 3.2,
/// sharpening in section 3.3, the merge in section 3.4, and the settings in section 4.1 and the authors'
/// code. `offset` is not part of the paper.
///
/// # Examples
///
/// ```
/// use bspm_core::{BspmConfig, Merge, Preset, Solver};
///
/// # fn main() -> bspm_core::Result<()> {
/// let published = Preset::Gowalla.config();
/// assert_eq!(published.ideal_low_pass().unwrap().factor_dim, 448);
///
/// let mine = BspmConfig::builder()
///     .sharpen(Solver::Rk4, 2.0, 2)
///     .ideal_low_pass(128, 0.3)
///     .merge(Merge::Late)
///     .build()?;
/// assert_eq!(mine.sharpening().unwrap().steps, 2);
///
/// let error = BspmConfig::builder().sharpen(Solver::Euler, -1.0, 1).build().unwrap_err();
/// assert_eq!(error.to_string(), "sharpen_time: expected a number above 0, at most 1000, found -1");
/// # Ok(())
/// # }
/// ```
///
/// # Validation
///
/// A value of this type always has valid parameters: it comes from a [`Preset`] or from a
/// [`BspmConfigBuilder`], whose `build` checks them. Deserialisation checks them too. serde names each field
/// like its method here, rejects unknown fields, and uses `null` for a process that is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct BspmConfig {
    pub(super) blur: Integration,
    pub(super) ideal_low_pass: Option<IdealLowPass>,
    pub(super) sharpening: Option<Integration>,
    pub(super) merge: Merge,
    pub(super) t_point_combination: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) offset: f64,
}

/// The fields of a configuration that is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    blur: Integration,
    ideal_low_pass: Option<IdealLowPass>,
    sharpening: Option<Integration>,
    merge: Merge,
    t_point_combination: bool,
    #[serde(default)]
    offset: f64,
}

impl TryFrom<Unchecked> for BspmConfig {
    type Error = bspm_data::Error;

    fn try_from(fields: Unchecked) -> Result<Self> {
        let config = Self {
            blur: fields.blur,
            ideal_low_pass: fields.ideal_low_pass,
            sharpening: fields.sharpening,
            merge: fields.merge,
            t_point_combination: fields.t_point_combination,
            offset: fields.offset,
        };
        BspmConfigBuilder { config }.build()
    }
}

fn is_zero(offset: &f64) -> bool {
    *offset == 0.0
}

impl BspmConfig {
    /// Returns a builder with only the blur: one Euler step over unit time, no ideal low-pass filter, no
    /// sharpening, early merge, no t-point combination.
    pub fn builder() -> BspmConfigBuilder {
        BspmConfigBuilder {
            config: Self {
                blur: Integration::UNIT_EULER,
                ideal_low_pass: None,
                sharpening: None,
                merge: Merge::Early,
                t_point_combination: false,
                offset: 0.0,
            },
        }
    }

    /// Returns a builder that starts from this configuration.
    pub fn to_builder(&self) -> BspmConfigBuilder {
        BspmConfigBuilder {
            config: self.clone(),
        }
    }

    /// How the blurring process is integrated.
    pub fn blur(&self) -> Integration {
        self.blur
    }

    /// The settings of the ideal low-pass filter; `None` if it is off.
    pub fn ideal_low_pass(&self) -> Option<IdealLowPass> {
        self.ideal_low_pass
    }

    /// How the sharpening process is integrated; `None` if it is off.
    pub fn sharpening(&self) -> Option<Integration> {
        self.sharpening
    }

    /// When the ideal low-pass filter is added.
    pub fn merge(&self) -> Merge {
        self.merge
    }

    /// Whether the mean of all recorded points is used instead of the last point.
    pub fn t_point_combination(&self) -> bool {
        self.t_point_combination
    }

    /// The offset of all degrees in `R = (D_u + offset)^-1/2 A (D_i + offset)^-1/2`.
    pub fn offset(&self) -> f64 {
        self.offset
    }
}

impl Preset {
    /// The published settings of BSPM for this data set.
    pub fn config(self) -> BspmConfig {
        let (solver, time, steps) = match self {
            Self::Gowalla => (Solver::Rk4, 2.5, 1),
            Self::Yelp2018 => (Solver::Euler, 1.2, 1),
            Self::AmazonBook => (Solver::Rk4, 2.2, 2),
        };
        let projection = match self {
            Self::Gowalla => Some((448, 0.2)),
            Self::Yelp2018 => Some((384, 0.3)),
            Self::AmazonBook => None,
        };
        BspmConfig {
            blur: Integration::UNIT_EULER,
            ideal_low_pass: projection.map(|(factor_dim, beta)| IdealLowPass {
                factor_dim,
                beta,
                integration: Integration::UNIT_EULER,
            }),
            sharpening: Some(Integration::new(solver, time, steps)),
            merge: match self {
                Self::Gowalla | Self::Yelp2018 => Merge::Early,
                Self::AmazonBook => Merge::Late,
            },
            t_point_combination: self == Self::Yelp2018,
            offset: 0.0,
        }
    }
}

/// Default settings for new data: blur by one Euler step over unit time, 64 singular vectors with `beta`
/// 0.1, early merge, and one step of RK4 over `T_s` 2.5.
///
/// They were chosen on held-out interactions of six matrices of different shapes (200 users to 32,000,
/// sparse and dense), because they are never far below the best of 600 settings. Use
/// [`Sweep`](crate::sweep::Sweep) to improve on them. If the rank of the matrix is below 64, fewer
/// vectors are used.
impl Default for BspmConfig {
    fn default() -> Self {
        Self {
            blur: Integration::UNIT_EULER,
            ideal_low_pass: Some(IdealLowPass {
                factor_dim: 64,
                beta: 0.1,
                integration: Integration::UNIT_EULER,
            }),
            sharpening: Some(Integration::new(Solver::Rk4, 2.5, 1)),
            merge: Merge::Early,
            t_point_combination: false,
            offset: 0.0,
        }
    }
}

impl BspmConfig {
    /// Returns default settings for new data of this shape: those of [`default`](Self::default), but with
    /// `beta` 0.2 and a number of singular vectors that depends on the shape. It is a hundredth of the
    /// number of items, at least 8, at most 512, and at most a sixteenth of the smaller side (but at
    /// least 2), because a small matrix has few singular vectors that are more than noise.
    ///
    /// They were chosen on held-out interactions of eleven matrices, from 200 users and 500 items to
    /// 31,668 users and 38,048 items. With two thirds of the vectors, NDCG@20 is 1% lower on Gowalla and
    /// Yelp2018, 10% lower if users form many communities, and 2% higher if most items have many users.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::BspmConfig;
    ///
    /// let of = |users, items| BspmConfig::for_shape(users, items).ideal_low_pass().unwrap();
    /// assert_eq!(of(29_858, 40_981).factor_dim, 409);
    /// assert_eq!(of(943, 1_682).factor_dim, 16);
    /// assert_eq!(of(10, 10).factor_dim, 2);
    /// ```
    pub fn for_shape(users: usize, items: usize) -> Self {
        let most = (users.min(items) / 16).clamp(2, 512);
        let factor_dim = (items / 100).max(8).min(most);
        let builder = Self::default().to_builder();
        builder.ideal_low_pass(factor_dim, 0.2).unchecked()
    }
}

/// A builder of [`BspmConfig`]; [`build`](Self::build) checks the parameters.
#[derive(Clone, Debug)]
#[must_use]
pub struct BspmConfigBuilder {
    pub(super) config: BspmConfig,
}

impl BspmConfigBuilder {
    /// Blurs with `steps` steps of `solver` over `[0, time]` (`K_b`, `T_b`).
    pub fn blur(mut self, solver: Solver, time: f32, steps: usize) -> Self {
        self.config.blur = Integration::new(solver, time, steps);
        self
    }

    /// Sharpens with `steps` steps of `solver` over `[0, time]` (`K_s`, `T_s`).
    pub fn sharpen(mut self, solver: Solver, time: f32, steps: usize) -> Self {
        self.config.sharpening = Some(Integration::new(solver, time, steps));
        self
    }

    /// Turns sharpening off.
    pub fn sharpening_off(mut self) -> Self {
        self.config.sharpening = None;
        self
    }

    /// Turns the ideal low-pass filter on, with `factor_dim` singular vectors and
    /// weight `beta`, integrated by one Euler step over unit time, which is the projection.
    pub fn ideal_low_pass(self, factor_dim: usize, beta: f32) -> Self {
        self.ideal_low_pass_integrated(factor_dim, beta, Integration::UNIT_EULER)
    }

    /// Turns the ideal low-pass filter on, with this solver, `T_idl` and `K_idl`.
    pub fn ideal_low_pass_integrated(
        mut self,
        factor_dim: usize,
        beta: f32,
        integration: Integration,
    ) -> Self {
        self.config.ideal_low_pass = Some(IdealLowPass {
            factor_dim,
            beta,
            integration,
        });
        self
    }

    /// Turns the ideal low-pass filter off.
    pub fn ideal_low_pass_off(mut self) -> Self {
        self.config.ideal_low_pass = None;
        self
    }

    /// Sets when the ideal low-pass filter is added.
    pub fn merge(mut self, merge: Merge) -> Self {
        self.config.merge = merge;
        self
    }

    /// Sets whether the mean of all recorded points (blurred and sharpened together, without the start of each
    /// process) is used instead of the last point. Sharpening starts from the last blurred point.
    pub fn t_point_combination(mut self, on: bool) -> Self {
        self.config.t_point_combination = on;
        self
    }

    /// Adds an offset to all degrees: `R = (D_u + offset)^-1/2 A (D_i + offset)^-1/2`, scaled to a largest
    /// singular value of 1. Default: 0, as in the paper.
    ///
    /// With an offset, users and items with few interactions have smaller weights. SGFCF has this form.
    /// On sparse data, it increases the NDCG of BSPM more than any other setting.
    pub fn offset(mut self, offset: f64) -> Self {
        self.config.offset = offset;
        self
    }

    /// Returns the configuration without checks, for constants that are known to be valid.
    pub(crate) fn unchecked(self) -> BspmConfig {
        debug_assert!(self.clone().build().is_ok());
        self.config
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) with the name of the first setting
    /// outside its range, as in [`BspmConfig::SETTINGS`].
    pub fn build(self) -> Result<BspmConfig> {
        check_all(BspmConfig::SETTINGS, &self.config)?;
        self.config.blur.check("blur_time", "blur_steps")?;
        if let Some(sharpening) = &self.config.sharpening {
            sharpening.check("sharpen_time", "sharpen_steps")?;
        }
        if let Some(filter) = &self.config.ideal_low_pass {
            filter.integration.check("idl_time", "idl_steps")?;
        }
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_passes_the_checks() {
        for preset in Preset::ALL {
            let config = preset.config();
            assert_eq!(config.to_builder().build().unwrap(), config);
        }
    }

    #[test]
    fn json_comes_back() {
        let late = Preset::Gowalla.config().to_builder().merge(Merge::Late);
        for config in Preset::ALL
            .map(Preset::config)
            .into_iter()
            .chain([late.build().unwrap()])
        {
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<BspmConfig>(&text).unwrap(), config);
        }
    }

    #[test]
    fn json_is_as_documented() {
        assert_eq!(
            serde_json::to_string(&Preset::AmazonBook.config()).unwrap(),
            r#"{"blur":{"solver":"euler","time":1.0,"steps":1},"ideal_low_pass":null,"#.to_owned()
                + r#""sharpening":{"solver":"rk4","time":2.2,"steps":2},"#
                + r#""merge":"late","t_point_combination":false}"#
        );
    }

    #[test]
    fn what_would_overflow_or_never_end_is_refused() {
        let exact = Solver::Exact { tolerance: 1e-12 };
        let pair = Solver::DormandPrince { tolerance: 1e-12 };
        for (solver, time, steps, expected) in [
            (
                Solver::Euler,
                1e30,
                1,
                "sharpen_time: expected a number above 0, at most 1000, found",
            ),
            (
                exact,
                1e5,
                1,
                "sharpen_time: expected a number above 0, at most 1000, found",
            ),
            (
                pair,
                1e3,
                10,
                "sharpen_steps: expected at most 2000 products with P in total, found",
            ),
            (
                Solver::Rk4,
                10.0,
                1_000,
                "sharpen_steps: expected at most 2000 products",
            ),
            (
                Solver::Euler,
                1e3,
                300,
                "sharpen_time: expected a time or a number of steps for which",
            ),
        ] {
            let config = BspmConfig::builder().sharpen(solver, time, steps).build();
            let error = config.unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        for (solver, time, steps) in [(exact, 1e3, 1), (Solver::Euler, 1e3, 1_000)] {
            BspmConfig::builder()
                .sharpen(solver, time, steps)
                .build()
                .unwrap();
        }
    }

    #[test]
    fn json_with_an_invalid_or_unknown_parameter_is_refused() {
        let valid = serde_json::to_string(&Preset::Gowalla.config()).unwrap();
        for (from, to, expected) in [
            (
                "\"beta\":0.2",
                "\"beta\":-0.2",
                "beta: expected a finite number, 0 or above, found -0.2",
            ),
            (
                "\"steps\":1",
                "\"steps\":0",
                "blur_steps: expected at least 1, found 0",
            ),
            ("\"merge\"", "\"fold\"", "unknown field `fold`"),
            ("early", "Early", "unknown variant `Early`"),
        ] {
            let text = valid.replacen(from, to, 1);
            let error = serde_json::from_str::<BspmConfig>(&text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
