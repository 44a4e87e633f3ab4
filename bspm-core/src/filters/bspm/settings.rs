//! The table of all settings of BSPM: name, range, and how to read and write it in a configuration.
//! Flags, sweeps, tables, CSV files and reports are made from it.

use super::config::{BspmConfig, BspmConfigBuilder, IdealLowPass, Integration, Merge};
use super::solver::Solver;
use crate::filters::setting::{
    ANY, F32_MAX, MOST_FACTORS, MOST_OFFSET, Search, Setting, SettingKind, named, parse,
};
use bspm_data::parameter::invalid;
use bspm_data::{Error, Result};

/// The value of a setting that turns its process off.
const OFF: &str = "off";

/// The range of times of a process.
const TIMES: (f64, f64) = (f64::MIN_POSITIVE, Integration::MAX_TIME as f64);

/// The range of numbers of steps of a process.
const STEPS: (f64, f64) = (1.0, Integration::MAX_STEPS as f64);

impl BspmConfig {
    /// Returns the setting with this name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) with all names, if it does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::{BspmConfig, Preset};
    ///
    /// let setting = BspmConfig::setting("sharpen_time")?;
    /// assert_eq!(setting.symbol, "T_s");
    /// assert_eq!(setting.get(&Preset::Gowalla.config()).unwrap(), "2.5");
    ///
    /// let config = BspmConfig::builder().set("factor_dim", "64")?.set("beta", "0.3")?.build()?;
    /// assert_eq!(config.ideal_low_pass().unwrap().beta, 0.3);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn setting(name: &str) -> Result<&'static Setting<Self>> {
        named(Self::SETTINGS, name)
    }
}

impl Setting<BspmConfig> {
    /// Whether the setting turns a process on or off: the value `off` turns it off.
    pub fn is_switch(&self) -> bool {
        ["sharpen_time", "factor_dim"].contains(&self.name)
    }
}

impl BspmConfig {
    /// All settings.
    pub const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            name: "blur_solver",
            symbol: "solver of blurring",
            doc: "Solver of the blurring process: euler, rk4, dormand-prince or exact",
            kind: SettingKind::Word,
            range: ANY,
            search: Search::Fixed,
            get: |config| Some(config.blur.solver.to_string()),
            set: |config, text| parse_solver("blur_solver", text, &mut config.blur.solver),
        },
        Setting {
            name: "blur_time",
            symbol: "T_b",
            doc: "T_b: integration time of the blurring process",
            kind: SettingKind::Number,
            range: TIMES,
            search: Search::Fixed,
            get: |config| Some(config.blur.time.to_string()),
            set: |config, text| parse("blur_time", "a number", text, &mut config.blur.time),
        },
        Setting {
            name: "blur_steps",
            symbol: "K_b",
            doc: "K_b: number of integration steps of the blurring process",
            kind: SettingKind::Count,
            range: STEPS,
            search: Search::Fixed,
            get: |config| Some(config.blur.steps.to_string()),
            set: |config, text| parse("blur_steps", "a whole number", text, &mut config.blur.steps),
        },
        Setting {
            name: "sharpen_solver",
            symbol: "solver of sharpening",
            doc: "Solver of the sharpening process: euler, rk4, dormand-prince or exact",
            kind: SettingKind::Word,
            range: ANY,
            search: Search::Fixed,
            get: |config| Some(config.sharpening?.solver.to_string()),
            set: |config, text| {
                let solver = &mut sharpening(config, "sharpen_solver", text)?.solver;
                parse_solver("sharpen_solver", text, solver)
            },
        },
        Setting {
            name: "sharpen_time",
            symbol: "T_s",
            doc: "T_s: integration time of the sharpening process; off disables sharpening",
            kind: SettingKind::Number,
            range: TIMES,
            search: Search::Linear(0.3, 3.0),
            get: |config| Some(config.sharpening?.time.to_string()),
            set: |config, text| {
                if text == OFF {
                    config.sharpening = None;
                    return Ok(());
                }
                let mut changed = config.sharpening.unwrap_or(Integration {
                    solver: Solver::Rk4,
                    ..Integration::UNIT_EULER
                });
                parse("sharpen_time", "a number or off", text, &mut changed.time)?;
                config.sharpening = Some(changed);
                Ok(())
            },
        },
        Setting {
            name: "sharpen_steps",
            symbol: "K_s",
            doc: "K_s: number of integration steps of the sharpening process",
            kind: SettingKind::Count,
            range: STEPS,
            search: Search::Fixed,
            get: |config| Some(config.sharpening?.steps.to_string()),
            set: |config, text| {
                let steps = &mut sharpening(config, "sharpen_steps", text)?.steps;
                parse("sharpen_steps", "a whole number", text, steps)
            },
        },
        Setting {
            name: "factor_dim",
            symbol: "factor_dim",
            doc: "Number of singular vectors of the ideal low-pass filter; off disables it",
            kind: SettingKind::Count,
            range: (1.0, MOST_FACTORS),
            search: Search::Factors,
            get: |config| Some(config.ideal_low_pass?.factor_dim.to_string()),
            set: |config, text| {
                if text == OFF {
                    config.ideal_low_pass = None;
                    return Ok(());
                }
                let mut changed = config.ideal_low_pass.unwrap_or(IdealLowPass {
                    factor_dim: 0,
                    beta: 0.2,
                    integration: Integration::UNIT_EULER,
                });
                let count = &mut changed.factor_dim;
                parse("factor_dim", "a whole number or off", text, count)?;
                config.ideal_low_pass = Some(changed);
                Ok(())
            },
        },
        Setting {
            name: "beta",
            symbol: "beta",
            doc: "Weight of the ideal low-pass filter",
            kind: SettingKind::Number,
            range: (0.0, F32_MAX),
            search: Search::Log(0.03, 1.0),
            get: |config| Some(config.ideal_low_pass?.beta.to_string()),
            set: |config, text| {
                let beta = &mut low_pass(config, "beta", text)?.beta;
                parse("beta", "a number", text, beta)
            },
        },
        Setting {
            name: "idl_solver",
            symbol: "solver of the ideal low-pass filter",
            doc: "Solver of the ideal low-pass filter: euler, rk4, dormand-prince or exact",
            kind: SettingKind::Word,
            range: ANY,
            search: Search::Fixed,
            get: |config| Some(config.ideal_low_pass?.integration.solver.to_string()),
            set: |config, text| {
                let filter = low_pass(config, "idl_solver", text)?;
                parse_solver("idl_solver", text, &mut filter.integration.solver)
            },
        },
        Setting {
            name: "idl_time",
            symbol: "T_idl",
            doc: "T_idl: integration time of the ideal low-pass filter",
            kind: SettingKind::Number,
            range: TIMES,
            search: Search::Fixed,
            get: |config| Some(config.ideal_low_pass?.integration.time.to_string()),
            set: |config, text| {
                let filter = low_pass(config, "idl_time", text)?;
                parse("idl_time", "a number", text, &mut filter.integration.time)
            },
        },
        Setting {
            name: "idl_steps",
            symbol: "K_idl",
            doc: "K_idl: number of integration steps of the ideal low-pass filter",
            kind: SettingKind::Count,
            range: STEPS,
            search: Search::Fixed,
            get: |config| Some(config.ideal_low_pass?.integration.steps.to_string()),
            set: |config, text| {
                let filter = low_pass(config, "idl_steps", text)?;
                parse(
                    "idl_steps",
                    "a whole number",
                    text,
                    &mut filter.integration.steps,
                )
            },
        },
        Setting {
            name: "merge",
            symbol: "EM or LM",
            doc: "When the ideal low-pass filter is added: early (before sharpening) or late (after it)",
            kind: SettingKind::Word,
            range: ANY,
            search: Search::Words(Merge::NAMES),
            get: |config| Some(config.merge.to_string()),
            set: |config, text| {
                config.merge = text.parse()?;
                Ok(())
            },
        },
        Setting {
            name: "t_point_combination",
            symbol: "t-point combination",
            doc: "Whether to use the mean of all recorded points instead of the last one: true or false",
            kind: SettingKind::Word,
            range: ANY,
            search: Search::Words(&["false", "true"]),
            get: |config| Some(config.t_point_combination.to_string()),
            set: |config, text| {
                let on = &mut config.t_point_combination;
                parse("t_point_combination", "true or false", text, on)
            },
        },
        Setting {
            name: "offset",
            symbol: "mu",
            doc: "Offset that is added to all degrees",
            kind: SettingKind::Number,
            range: (0.0, MOST_OFFSET),
            search: Search::Log(0.5, 50.0),
            get: |config| Some(config.offset.to_string()),
            set: |config, text| parse("offset", "a number", text, &mut config.offset),
        },
    ];
}

impl BspmConfigBuilder {
    /// Sets the setting with this name, one of [`BspmConfig::SETTINGS`], from a text.
    ///
    /// A time for `sharpen_time` turns sharpening on (default: one step of RK4), and `off` turns it off.
    /// A number for `factor_dim` turns the ideal low-pass filter on (default: `beta` 0.2), and `off`
    /// turns it off.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for an unknown name, for an invalid
    /// text, and for a setting of a process that is off. Ranges are checked by [`build`](Self::build).
    pub fn set(mut self, name: &str, text: &str) -> Result<Self> {
        (BspmConfig::setting(name)?.set)(&mut self.config, text)?;
        Ok(self)
    }
}

/// Parses a solver; an error names the setting.
fn parse_solver(name: &'static str, text: &str, value: &mut Solver) -> Result<()> {
    *value = text.parse().map_err(|error| match error {
        Error::InvalidParameter {
            parameter: "solver",
            expected,
            found,
        } => invalid(name, expected, found),
        error => error,
    })?;
    Ok(())
}

fn sharpening<'a>(
    config: &'a mut BspmConfig,
    name: &'static str,
    text: &str,
) -> Result<&'a mut Integration> {
    let expected = "sharpening to be on (set sharpen_time first)";
    let off = || invalid(name, expected, text);
    config.sharpening.as_mut().ok_or_else(off)
}

fn low_pass<'a>(
    config: &'a mut BspmConfig,
    name: &'static str,
    text: &str,
) -> Result<&'a mut IdealLowPass> {
    let expected = "the ideal low-pass filter to be on (set factor_dim first)";
    let off = || invalid(name, expected, text);
    config.ideal_low_pass.as_mut().ok_or_else(off)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filters::preset::Preset;

    #[test]
    fn every_setting_is_read_back_from_what_it_says() {
        for preset in Preset::ALL {
            let config = preset.config();
            let mut builder = BspmConfig::builder();
            for is_switch in [true, false] {
                for setting in BspmConfig::SETTINGS {
                    if setting.is_switch() == is_switch
                        && let Some(text) = setting.get(&config)
                    {
                        builder = builder.set(setting.name, &text).unwrap();
                    }
                }
            }
            assert_eq!(builder.build().unwrap(), config);
        }
    }

    #[test]
    fn what_is_no_value_is_named() {
        for (name, text, expected) in [
            (
                "beta",
                "much",
                "beta: expected the ideal low-pass filter to be on",
            ),
            (
                "blur_time",
                "x",
                "blur_time: expected a number, found \"x\"",
            ),
            (
                "factor_dim",
                "-1",
                "factor_dim: expected a whole number or off, found \"-1\"",
            ),
            (
                "blur_solver",
                "heun",
                "blur_solver: expected euler, rk4, dormand-prince or exact",
            ),
            (
                "merge",
                "never",
                "merge: expected early, late, found \"never\"",
            ),
            (
                "t_point_combination",
                "1",
                "t_point_combination: expected true or false",
            ),
            (
                "sharpen_steps",
                "2",
                "sharpen_steps: expected sharpening to be on",
            ),
            ("warmth", "1", "setting: expected blur_solver, blur_time,"),
        ] {
            let error = BspmConfig::builder().set(name, text).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
