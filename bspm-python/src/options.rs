//! Which columns are read, and what makes an interaction count.

use bspm::data::{Duplicates, Format, TableOptions, WeightScale, Weighting};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::to_python;

/// The options of reading, as keywords of Python.
#[derive(Debug, FromPyObject)]
pub(crate) struct ReadOptions {
    #[pyo3(item)]
    pub(crate) user: Option<String>,
    #[pyo3(item)]
    pub(crate) item: Option<String>,
    #[pyo3(item)]
    pub(crate) weight: Option<String>,
    #[pyo3(item)]
    pub(crate) time: Option<String>,
    #[pyo3(item)]
    pub(crate) rating: Option<String>,
    #[pyo3(item)]
    rating_threshold: Option<f64>,
    #[pyo3(item)]
    weight_scale: Option<String>,
    #[pyo3(item)]
    half_life: Option<HalfLife>,
    #[pyo3(item)]
    duplicates: Option<String>,
}

#[derive(Debug, FromPyObject)]
enum HalfLife {
    Number(f64),
    Text(String),
}

/// What a source has beside users and items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Has {
    pub(crate) weights: bool,
    pub(crate) times: bool,
    pub(crate) ratings: bool,
}

/// What the options ask of the core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) weighting: Option<Weighting>,
    pub(crate) rating_threshold: Option<f64>,
}

impl ReadOptions {
    /// What the columns named here give.
    pub(crate) fn named(&self) -> Has {
        Has {
            weights: self.weight.is_some(),
            times: self.time.is_some(),
            ratings: self.rating.is_some(),
        }
    }

    /// The rules, if each of the options has an effect on a source that has these.
    pub(crate) fn rules(&self, has: Has) -> PyResult<Rules> {
        let scale = self.weight_scale.as_deref().map(scale).transpose()?;
        let duplicates = self.duplicates.as_deref().map(str::parse::<Duplicates>);
        let duplicates = duplicates.transpose().map_err(to_python)?;
        let half_life = self.half_life.as_ref().map(HalfLife::value).transpose()?;
        match (has.ratings, self.rating_threshold) {
            (false, Some(threshold)) => {
                let expected = "ratings beside it; rating= names their column";
                return Err(refused("rating_threshold", expected, threshold));
            }
            (true, None) => {
                let expected =
                    "rating_threshold= beside it, or weight= for ratings that are weights";
                return Err(refused("rating", expected, "neither"));
            }
            _ => {}
        }
        if let (false, Some(half_life)) = (has.times, half_life) {
            let expected = "times beside it; time= names their column";
            return Err(refused("half_life", expected, half_life));
        }
        let counts = matches!(self.duplicates.as_deref(), Some("sum" | "count"));
        if let (false, false, Some(text)) = (has.weights, counts, &self.weight_scale) {
            let expected = "weights beside it; weight= names their column, \
                            duplicates='sum' makes weights of repeated pairs";
            return Err(refused("weight_scale", expected, format!("{text:?}")));
        }
        if let (false, None, false, Some(text)) = (has.weights, half_life, counts, &self.duplicates)
        {
            let expected = "'sum' or 'count' without weights (weight= names their column)";
            return Err(refused("duplicates", expected, format!("{text:?}")));
        }
        let is_weighted = scale.is_some() || half_life.is_some() || duplicates.is_some();
        let weighting = is_weighted.then(|| {
            let mut weighting = Weighting::new();
            if let Some(scale) = scale {
                weighting = weighting.scale(scale);
            }
            if let Some(half_life) = half_life {
                weighting = weighting.half_life(half_life);
            }
            match duplicates {
                Some(duplicates) => weighting.duplicates(duplicates),
                None => weighting,
            }
        });
        Ok(Rules {
            weighting,
            rating_threshold: self.rating_threshold,
        })
    }

    /// As options for a table whose columns have these names if none are given.
    pub(crate) fn table(&self, (user, item): (&str, &str), rules: Rules) -> TableOptions {
        let mut options = TableOptions::new(
            self.user.as_deref().unwrap_or(user),
            self.item.as_deref().unwrap_or(item),
        );
        if let Some(column) = &self.weight {
            options = options.weight(column);
        }
        if let Some(column) = &self.time {
            options = options.time(column);
        }
        if let Some(column) = &self.rating {
            options = options.rating(column);
        }
        if let Some(threshold) = rules.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        if let Some(weighting) = rules.weighting {
            options = options.weighting(weighting);
        }
        options
    }

    /// The rules for a file in a format, some of which have no columns to name.
    pub(crate) fn rules_of_file(&self, format: Format) -> PyResult<Rules> {
        let has = match format {
            Format::MovieLens => Has {
                weights: self.weight.is_some(),
                times: true,
                ratings: self.rating_threshold.is_some(),
            },
            // The values of the matrix are weights, or ratings.
            Format::Npz => Has {
                weights: true,
                times: false,
                ratings: self.rating_threshold.is_some(),
            },
            _ => self.named(),
        };
        let named = [
            ("user", &self.user),
            ("item", &self.item),
            ("weight", &self.weight),
            ("time", &self.time),
            ("rating", &self.rating),
        ];
        let is_read = |name: &str, column: &str| match format {
            Format::LightGcn | Format::Npz => false,
            // Its columns have these names.
            Format::MovieLens => name == "weight" || name == column,
            _ => true,
        };
        for (name, column) in named {
            if let Some(column) = column.as_deref().filter(|column| !is_read(name, column)) {
                let expected = match format {
                    Format::MovieLens => format!("the column {name:?}, which the format has"),
                    _ => "no column, since files of this format have no names of columns".into(),
                };
                return Err(refused(name, &expected, format!("{column:?}")));
            }
        }
        let rules = self.rules(has)?;
        if let (Format::Npz, Some(_), Some(threshold)) =
            (format, rules.weighting, rules.rating_threshold)
        {
            let expected = "values that are weights or ratings, and not both; \
                            weight_scale='threshold:NUMBER' leaves weights below it out";
            return Err(refused("rating_threshold", expected, threshold));
        }
        Ok(rules)
    }
}

impl HalfLife {
    fn value(&self) -> PyResult<f64> {
        let found = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => in_seconds(text),
        };
        found
            .filter(|number| *number > 0.0 && number.is_finite())
            .ok_or_else(|| {
                let expected = "a number above 0 in the unit of the times, or a text as '90d' \
                                with times in seconds (s, h, d, w or y)";
                match self {
                    Self::Number(number) => refused("half_life", expected, number),
                    Self::Text(text) => refused("half_life", expected, format!("{text:?}")),
                }
            })
    }
}

/// A text such as 90d in seconds; a number as it is.
fn in_seconds(text: &str) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    let units = [
        ("s", 1.0),
        ("h", 3_600.0),
        ("d", DAY),
        ("w", 7.0 * DAY),
        ("y", 365.25 * DAY),
    ];
    let found = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = found.unwrap_or((text, 1.0));
    Some(number.trim().parse::<f64>().ok()? * seconds)
}

fn scale(text: &str) -> PyResult<WeightScale> {
    text.parse().map_err(|_| {
        let expected = "'linear', 'log' or 'threshold:NUMBER'";
        refused("weight_scale", expected, format!("{text:?}"))
    })
}

pub(crate) fn refused(what: &str, expected: &str, found: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{what}: expected {expected}, found {found}"))
}
