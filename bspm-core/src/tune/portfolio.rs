//! The candidates that a search tries first.

use super::shape::Shape;
use crate::filters::registry::FilterConfig;
use bspm_data::Interactions;
use bspm_data::Result;

/// Filters, and their settings that differ from [`for_shape`](FilterConfig::for_shape). They were found with
/// the example `portfolio`: alone or in a mix of two, each was the best on held-out interactions of some data
/// set. Candidates that share singular vectors are adjacent, with the largest number of vectors first.
const CANDIDATES: [(&str, &[(&str, &str)]); 14] = [
    ("family", &[("offset", "10"), ("factor_dim", "448")]),
    (
        "family",
        &[("offset", "10"), ("factor_dim", "448"), ("share", "0.5")],
    ),
    (
        "family",
        &[("offset", "10"), ("factor_dim", "192"), ("output", "0.1")],
    ),
    ("family", &[("offset", "10"), ("factor_dim", "64")]),
    (
        "family",
        &[("offset", "10"), ("factor_dim", "64"), ("share", "0.5")],
    ),
    (
        "sgfcf",
        &[
            ("offset", "5"),
            ("factor_dim", "64"),
            ("beta", "1.84"),
            ("epsilon", "0.4"),
            ("gamma", "0.5"),
        ],
    ),
    (
        "ease-dan",
        &[
            ("offset", "20"),
            ("lambda", "1"),
            ("alpha", "0.85"),
            ("beta", "0.1"),
        ],
    ),
    ("ease-r", &[("lambda", "100")]),
    (
        "ease-dan",
        &[
            ("offset", "60"),
            ("lambda", "0.3"),
            ("alpha", "0.7"),
            ("beta", "0.4"),
        ],
    ),
    (
        "sgfcf",
        &[
            ("offset", "20"),
            ("factor_dim", "64"),
            ("beta", "1.84"),
            ("epsilon", "0.53"),
            ("gamma", "0.5"),
        ],
    ),
    (
        "ease-dan",
        &[("lambda", "1"), ("alpha", "0.75"), ("beta", "0.4")],
    ),
    (
        "rp3beta",
        &[("alpha", "0.6"), ("beta", "0.3"), ("neighbours", "200")],
    ),
    ("turbo-cf", &[]),
    ("bspm", &[]),
];

/// Returns the candidates of [`choose`](super::choose) for these interactions: filters that were the best on
/// held-out interactions of some data set, without those that are too expensive for this one.
pub fn candidates(interactions: &Interactions) -> Vec<FilterConfig> {
    candidates_for(Shape::of(interactions))
}

/// As [`candidates`], for a matrix of this shape.
pub(super) fn candidates_for(shape: Shape) -> Vec<FilterConfig> {
    let shape = shape.with_few_factors();
    let mut candidates: Vec<FilterConfig> = Vec::new();
    for (name, changes) in CANDIDATES {
        let Ok(config) = candidate(name, changes, (shape.users, shape.items)) else {
            continue;
        };
        if let Some(config) = shape.adapt(config)
            && !candidates.contains(&config)
        {
            candidates.push(config);
        }
    }
    candidates
}

fn candidate(name: &str, changes: &[(&str, &str)], shape: (usize, usize)) -> Result<FilterConfig> {
    let mut config = FilterConfig::for_shape(name, shape)?;
    for (setting, value) in changes {
        config.set(setting, value)?;
    }
    Ok(config)
}

/// Adapts settings to these interactions like a search does: limits the number of singular vectors, and uses
/// 100 neighbours instead of a dense autoencoder if there are many items. Returns `None` if a trial would
/// take too long.
pub fn adapted(config: FilterConfig, interactions: &Interactions) -> Option<FilterConfig> {
    Shape::of(interactions).adapt(config)
}

#[cfg(test)]
mod tests {
    use super::super::shape::factor_dim;
    use super::*;

    #[test]
    fn all_candidates_are_settings_that_exist() {
        for (name, changes) in CANDIDATES {
            candidate(name, changes, (2_000, 2_000))
                .and_then(|config| config.check())
                .unwrap();
        }
    }

    #[test]
    fn small_data_have_few_factors_and_no_candidate_twice() {
        let interactions = Interactions::from_pairs(2_000, 2_000, [(0, 0), (1, 1)]).unwrap();
        let candidates = candidates(&interactions);
        for (place, config) in candidates.iter().enumerate() {
            let factors = factor_dim(config).unwrap_or(0);
            assert!(factors <= 16, "{factors}");
            assert!(!candidates[..place].contains(config), "{config:?}");
        }
    }
}
