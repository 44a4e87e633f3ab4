//! Recommendations in an application: fit a model with the ids of the application, save it, open it, fold
//! in a new user, and explain a recommendation. `cargo run --release --example embed`

use bspm::data::TableOptions;
use bspm::{CpuBackend, Dataset, Model, Preset};

const PURCHASES: &str = "\
customer,product
ann,espresso
ann,milk
ann,biscuits
bob,espresso
bob,milk
bob,grinder
cid,tea
cid,honey
cid,lemon
dora,tea
dora,honey
dora,biscuits
eve,espresso
eve,grinder
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = TableOptions::new("customer", "product");
    let purchases: Dataset = Dataset::parse_csv(PURCHASES.as_bytes(), "purchases", &options)?;

    // The published settings, with a number of singular vectors that suits a small shop.
    let config = Preset::Gowalla.config().to_builder();
    let config = config.ideal_low_pass(3, 0.2).build()?;
    let model = Model::fit(CpuBackend::new(), purchases, config)?;

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("shop.bspm");
    model.save(&path)?;
    let model: Model<CpuBackend> = Model::open(CpuBackend::new(), &path)?;

    for entry in model.recommend("ann", 2)? {
        println!("ann may like {} ({:.3})", entry.item, entry.score);
    }
    for entry in model.recommend_for_items(["tea", "lemon"], 2)? {
        println!(
            "a new user with tea and lemon may like {} ({:.3})",
            entry.item, entry.score
        );
    }
    let explanation = model.explain("ann", "grinder")?;
    println!(
        "grinder scores {:.3} for ann, because of",
        explanation.score
    );
    for part in explanation.contributions {
        println!("  {} {:+.3}", part.item, part.score);
    }
    Ok(())
}
