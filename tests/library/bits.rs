//! Properties that are exact to the last bit on the CPU, and hold up to rounding on other devices.

use bspm::data::{History, SyntheticShape};
use bspm::fitted::RankOptions;
use bspm::{CpuBackend, FittedFilter};
use bspm_conformance::filter_configs;

#[test]
fn a_history_in_any_order_has_the_list_of_its_user() {
    let shape = SyntheticShape {
        users: 60,
        items: 40,
        train: 500,
        test: 60,
        communities: 4,
    };
    let interactions = shape.generate(3).unwrap().train;
    for config in filter_configs(5) {
        let fitted =
            FittedFilter::fit(CpuBackend::new(), interactions.clone(), config.clone()).unwrap();
        let mut backwards = interactions.items_of(7).to_vec();
        backwards.reverse();
        let folded_in = fitted.rank_histories(&[History::from(&backwards)], &RankOptions::top(10));
        let own = fitted.rank(&[7], &RankOptions::top(10)).unwrap();
        assert_eq!(folded_in.unwrap().lists, own.lists, "{config:?}");
    }
}
