//! Random matrices and configurations.

use bspm::filters::Integration;
use bspm::{BspmConfig, Interactions, Merge, Solver};
use proptest::prelude::*;

fn solvers() -> impl Strategy<Value = Solver> {
    prop_oneof![
        3 => Just(Solver::Euler),
        3 => Just(Solver::Rk4),
        1 => Just(Solver::DormandPrince { tolerance: 1e-8 }),
        1 => Just(Solver::Exact { tolerance: 1e-8 }),
    ]
}

fn integrations() -> impl Strategy<Value = Integration> {
    (solvers(), 0.1_f32..2.5, 1_usize..4)
        .prop_map(|(solver, time, steps)| Integration::new(solver, time, steps))
}

prop_compose! {
    pub(crate) fn configs()(
        blur in integrations(),
        sharpening in prop::option::of(integrations()),
        low_pass in prop::option::of((1_usize..9, 0.0_f32..1.0, integrations())),
        merge in prop_oneof![Just(Merge::Early), Just(Merge::Late)],
        t_point_combination: bool,
    ) -> BspmConfig {
        let mut builder = BspmConfig::builder()
            .blur(blur.solver, blur.time, blur.steps)
            .merge(merge)
            .t_point_combination(t_point_combination);
        if let Some(it) = sharpening {
            builder = builder.sharpen(it.solver, it.time, it.steps);
        }
        if let Some((factor_dim, beta, integration)) = low_pass {
            builder = builder.ideal_low_pass_integrated(factor_dim, beta, integration);
        }
        builder.build().expect("the ranges are valid")
    }
}

prop_compose! {
    pub(crate) fn matrices()(users in 9_usize..40, items in 9_usize..40)(
        pairs in prop::collection::vec((0..users as u32, 0..items as u32), 1..300),
        users in Just(users),
        items in Just(items),
    ) -> Interactions {
        Interactions::from_pairs(users, items, pairs).expect("the pairs are in range")
    }
}
