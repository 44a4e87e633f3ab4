//! Configurations in JSON: any text gives an error, or a filter of a small matrix with finite scores.
#![no_main]

use bspm::{CpuBackend, FilterConfig, FittedFilter, Interactions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(config) = serde_json::from_slice::<FilterConfig>(text) else {
        return;
    };
    if config.check().is_err() {
        return;
    }
    let pairs = (0..24_u32).map(|place| (place % 8, place * 5 % 7));
    let interactions = Interactions::from_pairs(8, 7, pairs).unwrap();
    let Ok(filter) = FittedFilter::fit(CpuBackend::new(), interactions, config.clone()) else {
        return;
    };
    let scores = filter.score(&[0, 5]).expect("a fitted filter scores");
    assert!(scores.iter().all(|score| score.is_finite()), "{config:?}");
    let written = serde_json::to_vec(&config).unwrap();
    assert_eq!(
        serde_json::from_slice::<FilterConfig>(&written).unwrap(),
        config
    );
});
