//! temporary
use bspm::*;
use std::time::*;
fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = format!("{}/gowalla/train.txt", std::env::var("BSPM_DATA").unwrap());
    let d = bspm::data::Dataset::<u32, u32>::from_interactions(
        (0..29858).collect(),
        (0..40981).collect(),
        {
            let t = std::fs::read_to_string(&path).unwrap();
            let mut pairs = vec![];
            for l in t.lines() {
                let mut n = l.split_whitespace().map(|x| x.parse::<u32>().unwrap());
                let u = n.next().unwrap();
                for i in n {
                    pairs.push((u, i));
                }
            }
            Interactions::from_pairs(29858, 40981, pairs)?
        },
    )?;
    let full = Preset::Gowalla.config();
    println!("{full:?}");
    let m = std::env::args().nth(1);
    let file = "/tmp/lat/gowalla.bspm";
    if m.is_some() || !std::path::Path::new(file).exists() {
        Model::fit(CpuBackend::new(), d.clone(), full.clone())?.save(file)?;
    }
    let model: Model<CpuBackend, u32, u32> = Model::open(CpuBackend::with_threads(1)?, file)?;
    let time = |name: &str, model: &Model<CpuBackend, u32, u32>| -> Result<()> {
        let mut t: Vec<f64> = vec![];
        let mut h = 0u64;
        for r in 0..2000u32 {
            let u = r * 7919 % 29858;
            let s = Instant::now();
            let l = model.recommend(&u, 20)?;
            t.push(s.elapsed().as_secs_f64() * 1e3);
            for e in l {
                h = h.wrapping_mul(31).wrapping_add(e.item as u64);
            }
        }
        t.sort_by(f64::total_cmp);
        println!("{name:20} p50 {:.3} p99 {:.3} hash {h:x}", t[1000], t[1980]);
        Ok(())
    };
    time("preset", &model)?;
    let no = BspmConfig::builder().sharpen(Solver::Rk4, 2.5, 1).build()?;
    println!("{no:?}");
    let m2: Model<CpuBackend, u32, u32> = Model::fit(CpuBackend::with_threads(1)?, d, no)?;
    time("no idl", &m2)?;
    time("preset", &model)?;
    Ok(())
}
