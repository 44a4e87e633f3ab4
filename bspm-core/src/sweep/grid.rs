//! The grid of a sweep.

use crate::filters::bspm::config::BspmConfig;
use crate::filters::setting::Setting;
use bspm_data::Result;

/// A grid: all combinations of values of settings, around a base configuration.
///
/// # Examples
///
/// ```
/// use bspm_core::BspmConfig;
/// use bspm_core::sweep::SweepGrid;
///
/// let grid = SweepGrid::around(BspmConfig::builder().build()?)
///     .vary("sharpen_time", ["off", "1.2", "2.5"])?
///     .vary("factor_dim", [128, 256])?
///     .vary("beta", [0.2, 0.3])?;
/// assert_eq!(grid.configs()?.len(), 12);
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SweepGrid {
    base: BspmConfig,
    values: Vec<(&'static Setting<BspmConfig>, Vec<String>)>,
}

impl SweepGrid {
    /// Creates a grid around `base`, which has the values of the settings that are not varied.
    pub fn around(base: BspmConfig) -> Self {
        Self {
            base,
            values: Vec::new(),
        }
    }

    /// Sets the values of a setting, one of [`BspmConfig::SETTINGS`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for an unknown name.
    pub fn vary<T: ToString>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let setting = BspmConfig::setting(name)?;
        let values = values.into_iter().map(|it| it.to_string()).collect();
        self.values.retain(|(other, _)| other.name != name);
        self.values.push((setting, values));
        Ok(self)
    }

    /// Returns all combinations, validated, in the order of [`BspmConfig::SETTINGS`]; the last setting varies
    /// fastest. Settings of a process that is off are ignored, and duplicate configurations are removed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first value that is invalid or
    /// outside its range.
    pub fn configs(&self) -> Result<Vec<BspmConfig>> {
        let mut combinations: Vec<Vec<(&Setting<BspmConfig>, &str)>> = vec![Vec::new()];
        for setting in BspmConfig::SETTINGS {
            let values = self.values.iter().find(|(it, _)| it.name == setting.name);
            let Some((_, values)) = values else {
                continue;
            };
            combinations = combinations
                .iter()
                .flat_map(|before| {
                    values.iter().map(move |value| {
                        let mut combination = before.clone();
                        combination.push((setting, value.as_str()));
                        combination
                    })
                })
                .collect();
        }
        let mut configs = Vec::new();
        for combination in combinations {
            let mut builder = self.base.to_builder();
            for (setting, value) in combination.iter().filter(|(it, _)| it.is_switch()) {
                builder = builder.set(setting.name, value)?;
            }
            let switched = builder.clone().build()?;
            for (setting, value) in combination.iter().filter(|(it, _)| !it.is_switch()) {
                if setting.get(&switched).is_some() {
                    builder = builder.set(setting.name, value)?;
                }
            }
            let mut config = builder.build()?;
            if config.ideal_low_pass().is_none() {
                // Without the ideal low-pass filter, both merges are equal.
                config = config.to_builder().merge(self.base.merge()).build()?;
            }
            if !configs.contains(&config) {
                configs.push(config);
            }
        }
        Ok(configs)
    }
}
