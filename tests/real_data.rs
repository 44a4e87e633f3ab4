//! The published results, on the real Gowalla and Yelp2018 splits.
//!
//! `BSPM_DATA` is the folder that contains `gowalla/` and `yelp2018/`. Without it, these tests are reported
//! as ignored.

mod published;

use std::process::ExitCode;

use bspm::FitOptions;
use bspm::data::TrainTest;
use bspm::engine::{NormalizedGraph, truncated_svd};
use bspm::sweep::Sweep;
use bspm::{
    Backend, BspmConfig, CpuBackend, FilterConfig, FittedFilter, Interactions, Merge, Metrics,
    Preset,
};
use libtest_mimic::Failed;
use ndarray::{Array1, Array2, Axis};

fn main() -> ExitCode {
    let gowalla = Preset::Gowalla;
    published::run(&[
        ("gowalla_has_its_published_counts", gowalla, gowalla_counts),
        (
            "gowalla_merges_and_sweep",
            gowalla,
            gowalla_merges_and_sweep,
        ),
        ("gowalla_blur_alone", gowalla, gowalla_blur_alone),
        (
            "gowalla_singular_vectors",
            gowalla,
            gowalla_singular_vectors,
        ),
        ("yelp2018_preset", Preset::Yelp2018, yelp2018_preset),
        ("gowalla_filters", gowalla, gowalla_filters),
        ("yelp2018_filters", Preset::Yelp2018, yelp2018_filters),
    ])
    .exit_code()
}

fn evaluate(split: &TrainTest, config: BspmConfig) -> Result<Metrics, Failed> {
    Ok(published::evaluate(CpuBackend::new(), split, config)?.0)
}

fn expect(
    metrics: Metrics,
    recall: std::ops::RangeInclusive<f64>,
    ndcg: std::ops::RangeInclusive<f64>,
) -> Result<(), Failed> {
    for (name, value, range) in [
        ("Recall@20", metrics.recall, recall),
        ("NDCG@20", metrics.ndcg, ndcg),
    ] {
        if !range.contains(&value) {
            return Err(format!("{name} is {value}, expected {range:?}").into());
        }
    }
    Ok(())
}

/// Expects recall and NDCG to differ from `recall` and `ndcg` by at most `tolerance`.
fn expect_near(found: Metrics, recall: f64, ndcg: f64, tolerance: f64) -> Result<(), Failed> {
    let around = |value: f64| value - tolerance..=value + tolerance;
    expect(found, around(recall), around(ndcg))
}

fn gowalla_counts(split: TrainTest) -> Result<(), Failed> {
    let counts = |matrix: &Interactions| (matrix.users(), matrix.items(), matrix.len());
    assert_eq!(counts(&split.train), (29_858, 40_981, 810_128));
    assert_eq!(counts(&split.test), (29_858, 40_981, 217_242));
    Ok(())
}

fn gowalla_blur_alone(split: TrainTest) -> Result<(), Failed> {
    let config = BspmConfig::builder().build()?;
    expect(evaluate(&split, config)?, 0.1681..=0.1683, 0.1331..=0.1332)
}

fn yelp2018_preset(split: TrainTest) -> Result<(), Failed> {
    let metrics = evaluate(&split, Preset::Yelp2018.config())?;
    expect(metrics, 0.0719..=0.0721, 0.0592..=0.0594)
}

/// Filters with the settings of their presets, each to 0.0003 of Recall@20 and NDCG@20.
fn expect_filters(
    split: &TrainTest,
    data: Preset,
    expected: &[(&str, f64, f64)],
) -> Result<(), Failed> {
    for &(name, recall, ndcg) in expected {
        let config = FilterConfig::published(name, data)?;
        let (metrics, _) = published::evaluate(CpuBackend::new(), split, config)?;
        println!("{name}: {:.4} {:.4}", metrics.recall, metrics.ndcg);
        expect_near(metrics, recall, ndcg, 0.0003)
            .map_err(|error| format!("{name}: {}", error.message().unwrap_or_default()))?;
    }
    Ok(())
}

/// The values of GF-CF and ChebyCF are the published ones. For Turbo-CF, the paper reports 0.1835 and 0.1531;
/// with the settings that its authors published, a NumPy version of their code gives the values of this test,
/// too.
fn gowalla_filters(split: TrainTest) -> Result<(), Failed> {
    let expected = [
        ("gf-cf", 0.1849, 0.1518),
        ("cheby-cf", 0.1941, 0.1616),
        ("turbo-cf", 0.1830, 0.1513),
    ];
    expect_filters(&split, Preset::Gowalla, &expected)
}

/// The mix was selected on interactions held out of the training part.
fn yelp2018_filters(split: TrainTest) -> Result<(), Failed> {
    let expected = [
        ("gf-cf", 0.0697, 0.0571),
        ("turbo-cf", 0.0693, 0.0574),
        ("mix", 0.0715, 0.0591),
    ];
    expect_filters(&split, Preset::Yelp2018, &expected)
}

/// The published results of the early merge, alone and as a row of a sweep, and of the late merge.
fn gowalla_merges_and_sweep(split: TrainTest) -> Result<(), Failed> {
    let alone = early_merge(&split)?;
    let early = Preset::Gowalla.config();
    let late = early.to_builder().merge(Merge::Late).build()?;
    let configs = vec![late, early];
    let mut sweep = Sweep::new(CpuBackend::new(), split.train, split.test, configs, &[20])?;
    sweep.advance(usize::MAX)?;
    let rows: Vec<Metrics> = sweep.rows().iter().map(|row| row.metrics[0]).collect();
    expect(rows[0], 0.1900..=0.1902, 0.1569..=0.1571)?;
    expect(rows[1], 0.1920..=0.1922, 0.1596..=0.1598)?;
    expect_near(rows[1], alone.recall, alone.ndcg, 1e-5)
}

/// The published result. Vectors that are iterated to the precision of `f32` give nearly the same lists, of
/// every fifth user.
fn early_merge(split: &TrainTest) -> Result<Metrics, Failed> {
    let fit = |options: &FitOptions| {
        let (train, config) = (split.train.clone(), Preset::Gowalla.config());
        FittedFilter::fit_with(CpuBackend::new(), train, config, options)
    };
    let model = fit(&FitOptions::new())?;
    let users = split.test_users();
    let lists = published::lists(&model, &users)?;
    let metrics = published::metrics(split, &users, &lists)?;
    expect(metrics, 0.1920..=0.1922, 0.1596..=0.1598)?;

    let last = fit(&FitOptions::new().tolerance(1e-8))?;
    let users: Vec<u32> = users.into_iter().step_by(5).collect();
    let lists: Vec<_> = lists.into_iter().step_by(5).collect();
    let last_lists = published::lists(&last, &users)?;
    let entries = lists.iter().flatten().zip(last_lists.iter().flatten());
    let same = entries
        .filter(|(left, right)| left.item == right.item)
        .count();
    let share = same as f64 / (20 * lists.len()) as f64;
    let (report, last_report) = model
        .svd_report()
        .zip(last.svd_report())
        .ok_or("no truncated SVD")?;
    println!("{share:.6} of the entries are the same; {report}; to the end: {last_report}");
    if last_report.rounds <= report.rounds {
        return Err("the rule ended no earlier than the iteration does".into());
    }
    if share < 0.999 {
        return Err(format!("only {share} of the entries are the same").into());
    }
    let found = published::metrics(split, &users, &lists)?;
    let last = published::metrics(split, &users, &last_lists)?;
    expect_near(found, last.recall, last.ndcg, 1e-4)?;
    Ok(metrics)
}

/// All 448 vectors, with residual and orthogonality computed here in `f64`.
fn gowalla_singular_vectors(split: TrainTest) -> Result<(), Failed> {
    const FACTORS: usize = 448;
    let backend = CpuBackend::new();
    let graph = NormalizedGraph::new(&backend, &split.train)?;
    let svd = truncated_svd(&backend, &graph, FACTORS, &FitOptions::new())?;
    let vectors = backend.download(&svd.right_vectors)?.mapv(f64::from);

    let gram = vectors.t().dot(&vectors) - Array2::<f64>::eye(FACTORS);
    let loss = gram.fold(0.0_f64, |loss, entry| loss.max(entry.abs()));
    if loss > 1e-5 {
        return Err(format!("orthogonality is {loss:e}, expected at most 1e-5").into());
    }

    let values: Array1<f64> = svd
        .singular_values
        .iter()
        .map(|&value| f64::from(value).powi(2))
        .collect();
    let residuals = walk(&split.train, &vectors) - vectors * &values;
    let worst = residuals
        .axis_iter(Axis(1))
        .map(|column| column.dot(&column).sqrt())
        .fold(0.0, f64::max);
    if worst > 1e-4 {
        return Err(format!("the largest residual is {worst:e}, expected at most 1e-4").into());
    }
    println!(
        "orthogonality {loss:.1e}, largest residual {worst:.1e}; {}",
        svd.report
    );
    Ok(())
}

/// `P X`, by sums over the interactions.
fn walk(interactions: &Interactions, vectors: &Array2<f64>) -> Array2<f64> {
    let inverse_root = |degree: &u32| f64::from(*degree).sqrt().recip();
    let user_scale: Vec<f64> = interactions
        .user_degrees()
        .iter()
        .map(inverse_root)
        .collect();
    let item_scale: Vec<f64> = interactions
        .item_degrees()
        .iter()
        .map(inverse_root)
        .collect();
    let mut users = Array2::zeros((interactions.users(), vectors.ncols()));
    for (user, item) in interactions.pairs() {
        let weight = user_scale[user as usize] * item_scale[item as usize];
        users
            .row_mut(user as usize)
            .scaled_add(weight, &vectors.row(item as usize));
    }
    let mut result = Array2::zeros(vectors.dim());
    for (user, item) in interactions.pairs() {
        let weight = user_scale[user as usize] * item_scale[item as usize];
        result
            .row_mut(item as usize)
            .scaled_add(weight, &users.row(user as usize));
    }
    result
}
