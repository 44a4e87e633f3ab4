//! The published results, on the real Gowalla and Yelp2018 splits.
//!
//! `BSPM_DATA` names the folder that holds `gowalla/` and `yelp2018/`. Without it,
//! these tests are reported as ignored.

mod published;

use std::process::ExitCode;

use bspm::core::{NormalizedGraph, SvdOptions, truncated_svd};
use bspm::{Backend, BspmConfig, CpuBackend, Interactions, Merge, Metrics, Preset, TrainTest};
use libtest_mimic::Failed;
use ndarray::{Array1, Array2, Axis};

fn main() -> ExitCode {
    let gowalla = Preset::Gowalla;
    published::run(&[
        ("gowalla_has_its_published_counts", gowalla, gowalla_counts),
        ("gowalla_early_merge", gowalla, gowalla_early_merge),
        ("gowalla_late_merge", gowalla, gowalla_late_merge),
        ("gowalla_blur_alone", gowalla, gowalla_blur_alone),
        (
            "gowalla_singular_vectors",
            gowalla,
            gowalla_singular_vectors,
        ),
        ("yelp2018_preset", Preset::Yelp2018, yelp2018_preset),
    ])
    .exit_code()
}

fn evaluate(split: TrainTest, config: BspmConfig) -> Result<Metrics, Failed> {
    Ok(published::evaluate(CpuBackend::new(), &split, config)?.0)
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

fn gowalla_counts(split: TrainTest) -> Result<(), Failed> {
    let counts = |matrix: &Interactions| (matrix.users(), matrix.items(), matrix.len());
    assert_eq!(counts(&split.train), (29_858, 40_981, 810_128));
    assert_eq!(counts(&split.test), (29_858, 40_981, 217_242));
    Ok(())
}

fn gowalla_early_merge(split: TrainTest) -> Result<(), Failed> {
    let metrics = evaluate(split, Preset::Gowalla.config())?;
    expect(metrics, 0.1920..=0.1922, 0.1596..=0.1598)
}

fn gowalla_late_merge(split: TrainTest) -> Result<(), Failed> {
    let config = Preset::Gowalla
        .config()
        .to_builder()
        .merge(Merge::Late)
        .build()?;
    expect(evaluate(split, config)?, 0.1900..=0.1902, 0.1569..=0.1571)
}

fn gowalla_blur_alone(split: TrainTest) -> Result<(), Failed> {
    let config = BspmConfig::builder().build()?;
    expect(evaluate(split, config)?, 0.1681..=0.1683, 0.1331..=0.1332)
}

fn yelp2018_preset(split: TrainTest) -> Result<(), Failed> {
    let metrics = evaluate(split, Preset::Yelp2018.config())?;
    expect(metrics, 0.0719..=0.0721, 0.0592..=0.0594)
}

/// All 448 vectors, with residual and orthogonality computed here in `f64`.
fn gowalla_singular_vectors(split: TrainTest) -> Result<(), Failed> {
    const FACTORS: usize = 448;
    let backend = CpuBackend::new();
    let graph = NormalizedGraph::new(&backend, &split.train)?;
    let svd = truncated_svd(&backend, &graph, &SvdOptions::new(FACTORS))?;
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
        "orthogonality {loss:.1e}, largest residual {worst:.1e}, {} rounds",
        svd.rounds
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
