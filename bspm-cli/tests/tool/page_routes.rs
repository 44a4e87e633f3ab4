//! The routes of `bspm serve` that the page uses: /model, /users, /history and /items.

#![cfg(unix)]

use std::path::{Path, PathBuf};

use bspm::data::{ItemColumn, ItemTable};
use bspm::tune::choose;
use bspm::{BspmConfig, CpuBackend, CpuModel, Dataset, FitOptions};
use serde_json::{Value, json};

use crate::service::{Service, agent, as_json, dataset, save};

/// A shop in which user `u<n>` has `n + 1` of the items i0, i1, ..., and item i0 is the most popular one.
fn stairs(folder: &Path) -> PathBuf {
    let pairs = (0..10).flat_map(|user| (0..=user).map(move |item| (user, item)));
    let pairs = pairs.map(|(user, item)| (format!("u{user}"), format!("i{item}")));
    let shop: Dataset = Dataset::from_pairs(pairs).unwrap();
    let ids = ["i0", "i1", "i2", "i9"].map(String::from);
    let columns = vec![
        ItemColumn::texts("name", ["Tea", "Milk", "Rice", "Jam"]),
        ItemColumn::texts("kind", ["drink", "drink", "food", "food"]),
        ItemColumn::numbers("price", [4.5, 1.0, f64::NAN, 2.0]),
        ItemColumn::booleans("sold", [true, true, false, false]),
        ItemColumn::texts(
            "image",
            [Some("https://shop.example/tea.png"), None, None, None],
        ),
    ];
    let table = ItemTable::new(ids.into_iter().collect(), "name", columns).unwrap();
    let config = BspmConfig::builder().build().unwrap();
    let shop = shop.with_items(table).unwrap();
    let path = folder.join("stairs.bspm");
    let model = CpuModel::fit(CpuBackend::new(), shop, config).unwrap();
    model.save(&path).unwrap();
    path
}

fn names<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|it| it[name].as_str().unwrap()).collect()
}

#[test]
fn example_users_are_spread_over_the_lengths_of_histories() {
    let folder = tempfile::tempdir().unwrap();
    let path = stairs(folder.path());
    let service = Service::start(&path, &[]);
    let users = service.json("/users?k=4");
    assert_eq!(users, service.json("/users?k=4"));
    assert_eq!(names(&users["users"], "user"), ["u9", "u6", "u3", "u0"]);
    let expected = json!({"user": "u3", "interactions": 4, "items": [
        {"item": "i0", "title": "Tea"}, {"item": "i1", "title": "Milk"}, {"item": "i2", "title": "Rice"},
    ]});
    assert_eq!(users["users"][2], expected);
    assert_eq!(names(&service.json("/users?k=1")["users"], "user"), ["u9"]);
    let all = service.json("/users?k=24");
    assert_eq!(names(&all["users"], "user").len(), 10);
    assert_eq!(names(&service.json("/users")["users"], "user").len(), 6);
    for k in [0, 25] {
        let (status, body) = service.get(&format!("/users?k={k}"));
        assert_eq!(status, 400);
        assert!(
            body.contains(&format!("k: expected a number from 1 to 24, found {k}")),
            "{body}"
        );
    }
    let service = Service::start(&path, &["--no-example-users"]);
    assert_eq!(service.json("/users"), json!({"users": []}));
}

#[test]
fn a_history_starts_with_the_most_popular_items() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&stairs(folder.path()), &[]);
    let history = service.json("/history?user=u9&k=4");
    assert_eq!(history["interactions"], 10);
    assert_eq!(names(&history["items"], "item"), ["i0", "i1", "i2", "i3"]);
    let (status, body) = service.get("/history?user=nobody");
    assert_eq!(status, 404);
    assert!(body.contains("user \\\"nobody\\\" is unknown"), "{body}");
}

#[test]
fn items_are_found_by_ids_and_conditions_with_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&stairs(folder.path()), &[]);
    let items = service.json("/items?ids=i9,i0,unknown,i3&columns=true");
    let expected = json!({"items": [
        {"item": "i9", "title": "Jam", "users": 1, "columns": {"kind": "food", "price": 2.0, "sold": false}},
        {"item": "i0", "title": "Tea", "users": 10, "columns": {
            "kind": "drink", "price": 4.5, "sold": true, "image": "https://shop.example/tea.png",
        }},
        {"item": "i3", "users": 7},
    ], "unknown_items": ["unknown"]});
    assert_eq!(items, expected);
    let cheap = service.json("/items?where=price%20%3C%203");
    assert_eq!(names(&cheap["items"], "item"), ["i1", "i9"]);
    let both = service.json("/items?where=sold&search=t");
    assert_eq!(names(&both["items"], "title"), ["Tea"]);
    assert_eq!(service.get("/items?where=colour=1").0, 400);
    assert_eq!(service.get("/items?ids=%22i0").0, 400);
}

#[test]
fn the_model_is_described_with_its_trials_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let card = Service::start(&stairs(folder.path()), &[]).json("/model");
    assert_eq!(
        (&card["filter"], &card["trials"]),
        (&json!("bspm"), &json!([]))
    );
    assert_eq!(
        (&card["held_out"], &card["image_column"]),
        (&Value::Null, &json!("image"))
    );
    assert_eq!(
        names(&card["columns"], "name"),
        ["kind", "price", "sold", "image"]
    );
    assert_eq!(names(&card["facets"], "column"), ["kind", "price", "sold"]);
    let expected = json!([
        {"value": "drink", "items": 2, "where": "`kind` = 'drink'"},
        {"value": "food", "items": 2, "where": "`kind` = 'food'"},
    ]);
    assert_eq!(card["facets"][0]["values"], expected);

    let (shop, backend) = (dataset(120, 0), CpuBackend::new());
    let choice = choose(backend.clone(), &shop, &FitOptions::new()).unwrap();
    let model = CpuModel::fit(backend, shop, choice.config.clone()).unwrap();
    let path = folder.path().join("chosen.bspm");
    model
        .with_trials(choice.trials.clone())
        .save(&path)
        .unwrap();
    let card = Service::start(&path, &[]).json("/model");
    let selected = choice.trials.iter().find(|it| it.config == choice.config);
    let selected = selected.unwrap();
    assert_eq!(card["label"], choice.config.label());
    assert_eq!(card["compared"], choice.trials.len());
    let held_out = json!({"users": selected.users, "metrics": as_json(selected.metrics)});
    assert_eq!(card["held_out"], held_out);
    let trials = card["trials"].as_array().unwrap();
    let marked = trials.iter().filter(|it| it["is_selected"] == true);
    assert_eq!(marked.count(), 1);
    assert_eq!(
        (&card["has_item_table"], &card["facets"]),
        (&json!(false), &json!([]))
    );
}

#[test]
fn only_the_page_of_a_model_with_pictures_may_load_them() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, _) = save(folder.path(), "shop.bspm", 0);
    let with_pictures = stairs(folder.path());
    for (model, path, pictures) in [
        (&with_pictures, "/", "img-src https: data:;"),
        (&with_pictures, "/items", "img-src data:;"),
        (&plain, "/", "img-src data:;"),
    ] {
        let service = Service::start(model, &[]);
        let address = format!("http://{}{path}", service.address);
        let response = agent().get(address).call().unwrap();
        let policy = response.headers()["content-security-policy"].to_str();
        let policy = policy.unwrap();
        assert!(policy.contains(pictures), "{path}: {policy}");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    }
}

#[test]
fn keys_protect_the_routes_with_users() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "0123456789abcdef\n").unwrap();
    let arguments = ["--keys", keys.to_str().unwrap()];
    let service = Service::start(&stairs(folder.path()), &arguments);
    for path in ["/users", "/history?user=u1", "/model", "/items"] {
        assert_eq!(service.get(path).0, 401, "{path}");
    }
}
