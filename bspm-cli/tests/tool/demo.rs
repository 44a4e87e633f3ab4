//! `bspm demo`: the generated shop, fitted and served.

#![cfg(unix)]

use std::process::Command;

use crate::service::Service;

#[test]
fn a_generated_shop_is_served_until_the_server_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    let arguments = ["demo", "--address", "127.0.0.1:0"];
    command.args(arguments).env("TMPDIR", folder.path());
    let mut service = Service::of(&mut command);

    let card = service.json("/model");
    assert_eq!((&card["users"], &card["items"]), (&500.into(), &300.into()));
    assert!(card["held_out"]["metrics"]["ndcg"].as_f64().unwrap() > 0.15);
    let columns = card["facets"].as_array().unwrap().iter();
    let columns: Vec<&str> = columns.map(|it| it["column"].as_str().unwrap()).collect();
    assert_eq!(columns, ["category", "brand", "in_stock"]);

    let users = service.json("/users?k=2");
    let user = users["users"][0]["user"].as_str().unwrap();
    let user = user.replace(' ', "%20");
    let list = service.json(&format!(
        "/recommend?user={user}&k=5&where=price%20%3C%2020"
    ));
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert!(items.iter().all(|it| it["title"].is_string()), "{list}");
    assert!(service.get("/").1.contains("<title>bspm</title>"));

    // The temporary model is removed at the end.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    service.signal("-TERM");
    assert!(service.process.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
