//! States of sweeps: any text gives an error, or the sweep continues from it to the end.
#![no_main]

use bspm::sweep::Sweep;
use bspm::{BspmConfig, CpuBackend, Interactions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(state) = serde_json::from_slice(text) else {
        return;
    };
    let pairs = (0..24_u32).map(|place| (place % 8, place * 5 % 7));
    let train = Interactions::from_pairs(8, 7, pairs).unwrap();
    let test = Interactions::from_pairs(8, 7, [(0, 6), (3, 2)]).unwrap();
    let config = BspmConfig::builder()
        .ideal_low_pass(2, 0.3)
        .build()
        .unwrap();
    let configs = vec![config.clone(), config];
    let mut sweep = Sweep::new(CpuBackend::new(), train, test, configs, &[2, 5]).unwrap();
    if sweep.resume(state).is_ok() {
        sweep
            .advance(usize::MAX)
            .expect("a sweep continues from an accepted state");
        for row in sweep.rows() {
            assert!(row.metrics.iter().all(|it| it.ndcg <= 1.0), "{row:?}");
        }
    }
});
