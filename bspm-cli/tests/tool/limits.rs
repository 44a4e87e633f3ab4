//! What would take the machine down, or a good model with it, is refused.

use std::fs;

use crate::shop::{bspm, error, shop};

#[test]
fn a_million_threads_are_refused() {
    let shop = shop();
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "other.bspm",
        "--threads",
        "1000000",
    ];
    let refused = error(&bspm(shop.path(), &fit));
    for part in ["--threads", "1000000", "1024"] {
        assert!(refused.contains(part), "{refused}");
    }
    let serve = ["serve", "shop.bspm", "--workers", "1000000"];
    let refused = error(&bspm(shop.path(), &serve));
    for part in ["--workers", "1000000", "1024"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_model_that_is_of_no_use_takes_no_good_one_with_it() {
    let shop = shop();
    let path = shop.path().join("shop.bspm");
    let before = fs::read(&path).unwrap();
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "2"];
    let refused = error(&bspm(
        shop.path(),
        &[&fit[..], &["--beta", "3.4e38"]].concat(),
    ));
    assert!(refused.contains("beta: expected a value"), "{refused}");
    let weights = "user,item,count\na,x,1e20\na,y,1e20\nb,x,1\nb,z,1\n";
    fs::write(shop.path().join("weights.csv"), weights).unwrap();
    let fit = [
        "fit",
        "weights.csv",
        "-o",
        "shop.bspm",
        "--weight-column",
        "count",
    ];
    let refused = error(&bspm(
        shop.path(),
        &[&fit[..], &["--filter", "item-knn"]].concat(),
    ));
    assert!(refused.contains("weight: expected weights"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_budget_holds_for_filters_without_singular_vectors() {
    let shop = shop();
    for filter in [
        "ease-r",
        "ease-dan",
        "item-knn",
        "rp3beta",
        "turbo-cf",
        "popularity",
    ] {
        let fit = [
            "fit",
            "ratings.csv",
            "-o",
            "other.bspm",
            "--memory-budget",
            "20",
        ];
        let refused = error(&bspm(
            shop.path(),
            &[&fit[..], &["--filter", filter]].concat(),
        ));
        assert!(refused.contains("the budget has 20"), "{filter}: {refused}");
    }
}
