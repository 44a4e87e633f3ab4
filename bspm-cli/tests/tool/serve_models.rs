//! `bspm serve` with several models, API keys and other sites.

#![cfg(unix)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bspm_events::{LoggedList, read_lists};
use serde_json::{Value, json};

use crate::service::{Service, agent, as_json, bspm, save};

fn with_ids(service: &Service, path: &str) -> Value {
    let (status, body) = service.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// The logged lists, when there are this many.
fn lists(folder: &Path, count: usize) -> Vec<LoggedList> {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let mut found = Vec::new();
        read_lists(folder, |list| found.push(list)).unwrap();
        if found.len() >= count {
            assert_eq!(found.len(), count);
            return found;
        }
        assert!(Instant::now() < limit, "{found:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hash_of_the_user_selects_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let (first, first_model) = save(folder.path(), "first.bspm", 0);
    let (second, second_model) = save(folder.path(), "second.bspm", 5);
    let second = format!("b={}", second.display());
    let service = Service::start(&first, &[&second, "--split", "75:25"]);
    let mut of_user = HashMap::new();
    for user in 0..120 {
        let user = format!("u{user}");
        let list = with_ids(&service, &format!("/recommend?user={user}&k=3"));
        let name = list["model"].as_str().unwrap().to_owned();
        let model = match name.as_str() {
            "first" => &first_model,
            "b" => &second_model,
            other => panic!("{other}"),
        };
        assert_eq!(
            list["items"],
            as_json(model.recommend(user.as_str(), 3).unwrap())
        );
        let scores = service.json(&format!("/score?user={user}&items=i7"));
        let expected = model.score(user.as_str(), ["i7"]).unwrap();
        assert_eq!(
            scores,
            json!({"scores": as_json(expected), "unknown_items": []})
        );
        of_user.insert(user, name);
    }
    // 30 of 120 are expected; with a fair hash, fewer than 12 or more than 48 have a chance below 1e-4.
    let share = of_user.values().filter(|name| *name == "b").count();
    assert!((12..=48).contains(&share), "{share}");
    // The request can name the model.
    for (name, model) in [("first", &first_model), ("b", &second_model)] {
        let list = with_ids(&service, &format!("/recommend?user=u3&k=3&model={name}"));
        assert_eq!(list["items"], as_json(model.recommend("u3", 3).unwrap()));
        let body = json!({"history": ["i4"], "k": 3, "model": name});
        let list = service.post_with_ids("/recommend", &body).1;
        assert_eq!(
            list["items"],
            as_json(model.recommend_for_items(["i4"], 3).unwrap())
        );
        let list = with_ids(&service, &format!("/similar?item=i7&k=3&model={name}"));
        assert_eq!(
            list["items"],
            as_json(model.similar_items("i7", 3).unwrap())
        );
        assert_eq!(
            service.json(&format!("/model?model={name}"))["name"],
            json!(name)
        );
    }
    let (status, body) = service.get("/recommend?user=u3&model=c");
    assert_eq!(status, 404);
    assert!(
        body.contains("no model \\\"c\\\"; expected one of: first, b"),
        "{body}"
    );
    let health = service.json("/healthz");
    assert_eq!(health["models"][0], health["model"]);
    for (place, name, path) in [
        (0, "first", &first),
        (1, "b", &folder.path().join("second.bspm")),
    ] {
        let state = &health["models"][place];
        let hash = bspm::saved::file_hash(path).unwrap();
        assert_eq!(
            (&state["name"], &state["hash"]),
            (&json!(name), &json!(hash))
        );
        assert_eq!(state["is_stale"], json!(false));
    }
    let metrics = service.get("/metrics").1;
    // A list and scores of each user, and four requests that name the model.
    let responses = format!(
        "bspm_model_responses_total{{model=\"b\"}} {}\n",
        2 * share + 4
    );
    assert!(metrics.contains(&responses), "{responses}: {metrics}");
    assert!(
        metrics.contains("bspm_reloads_total{model=\"b\"} 0"),
        "{metrics}"
    );
    // The choice stays after a restart.
    drop(service);
    let service = Service::start(&first, &[&second, "--split", "75:25"]);
    for (user, name) in of_user.iter().take(20) {
        let list = with_ids(&service, &format!("/recommend?user={user}&k=3"));
        assert_eq!(list["model"], json!(name));
    }
}

#[test]
fn lists_are_logged_with_those_of_a_shadow_model() {
    let folder = tempfile::tempdir().unwrap();
    let (first, first_model) = save(folder.path(), "first.bspm", 0);
    let (second, second_model) = save(folder.path(), "second.bspm", 5);
    let second = second.to_string_lossy();
    let log = folder.path().join("log");
    let events = log.to_string_lossy();
    let arguments = ["--shadow", &second, "--events", &events, "--log-lists"];
    let service = Service::start(&first, &arguments);
    let list = with_ids(&service, "/recommend?user=u3&k=4");
    let answer = list["answer"].as_str().unwrap();
    let found = lists(&log, 2);
    for (model, recommended) in [("first", &first_model), ("second", &second_model)] {
        let list = found.iter().find(|list| list.model == model).unwrap();
        let expected = recommended.recommend("u3", 4).unwrap();
        let expected: Vec<String> = expected.into_iter().map(|entry| entry.item).collect();
        assert_eq!(list.items, expected);
        assert_eq!(
            (list.answer.as_str(), list.user.as_deref()),
            (answer, Some("u3"))
        );
        assert_eq!(list.shadow, model == "second");
        assert!(list.time > 1.7e9);
    }
    with_ids(&service, "/similar?item=i7&k=2");
    assert_eq!(lists(&log, 3)[2].user, None);
    let path = first.to_string_lossy();
    for (arguments, expected) in [
        (&["--shadow", &*second][..], "--log-lists"),
        (&["--log-lists"], "--events"),
        (
            &["--split", "90:10"],
            "expected one share for each of 1 models, found 2",
        ),
        (&["--split", "90:x"], "such as 90:10"),
        (&[&*path], "two models have the name \"first\""),
    ] {
        let all = [&["serve", &*path, "--address", "127.0.0.1:0"], arguments].concat();
        let (is_done, text) = bspm(&all);
        assert!(!is_done && text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn keys_have_rights_and_limits() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = folder.path().join("events");
    let keys = folder.path().join("keys.txt");
    let (all, reader, writer) = ("k".repeat(16), "r".repeat(16), "w".repeat(16));
    let slow = "s".repeat(16);
    let text = format!("# Keys\n{all}\n\n{reader} read\n{writer} write\n{slow} read 1/s\n");
    fs::write(&keys, text).unwrap();
    let (events, keys) = (events.to_string_lossy(), keys.to_string_lossy());
    let service = Service::start(&path, &["--events", &events, "--keys", &keys]);
    let status = |path: &str, key: Option<&str>| {
        let address = format!("http://{}{path}", service.address);
        let header = format!("Bearer {}", key.unwrap_or_default());
        if path == "/events" {
            let mut request = agent().post(address);
            if key.is_some() {
                request = request.header("authorization", header);
            }
            let event = json!({"user": "zoe", "item": "i1"});
            return request.send_json(&event).unwrap().status().as_u16();
        }
        let mut request = agent().get(address);
        if key.is_some() {
            request = request.header("authorization", header);
        }
        request.call().unwrap().status().as_u16()
    };
    let list = "/recommend?user=u1";
    for (key, read, write) in [
        (None, 401, 401),
        (Some("wrong-wrong-wrong"), 401, 401),
        (Some(all.as_str()), 200, 200),
        (Some(reader.as_str()), 200, 403),
        (Some(writer.as_str()), 403, 200),
    ] {
        assert_eq!(status(list, key), read, "{key:?}");
        assert_eq!(status("/events", key), write, "{key:?}");
        assert_eq!(status("/metrics", key), read, "{key:?}");
        for open in [
            "/health/live",
            "/health/ready",
            "/healthz",
            "/openapi.json",
            "/",
        ] {
            assert_eq!(status(open, key), 200, "{key:?}");
        }
    }
    let statuses: Vec<u16> = (0..50).map(|_| status(list, Some(&slow))).collect();
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    let path = path.to_string_lossy();
    for (line, expected) in [
        ("short", "at least 16"),
        ("kkkkkkkkkkkkkkkk admin", "read, write"),
    ] {
        let keys = folder.path().join("bad.txt");
        fs::write(&keys, format!("\n{line}\n")).unwrap();
        let (is_done, text) = bspm(&["serve", &path, "--keys", &keys.to_string_lossy()]);
        assert!(
            !is_done && text.contains("bad.txt:2: ") && text.contains(expected),
            "{text}"
        );
    }
}

#[test]
fn every_response_has_its_headers() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--cors", "https://shop.example"]);
    let get = |path: &str, headers: &[(&str, &str)]| {
        let mut request = agent().get(format!("http://{}{path}", service.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap()
    };
    let paths = [
        "/",
        "/recommend?user=u1",
        "/recommend",
        "/nothing",
        "/metrics",
        "/healthz",
    ];
    for path in paths {
        let response = get(path, &[("x-request-id", "request-17")]);
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|it| it.to_str().unwrap().to_owned())
        };
        assert_eq!(
            header("x-request-id").as_deref(),
            Some("request-17"),
            "{path}"
        );
        assert_eq!(
            header("x-content-type-options").as_deref(),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            header("referrer-policy").as_deref(),
            Some("no-referrer"),
            "{path}"
        );
        assert_eq!(
            header("cache-control").as_deref(),
            Some("no-store"),
            "{path}"
        );
        let policy = header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(header("access-control-allow-origin"), None, "{path}");
        assert_eq!(header("server"), None);
    }
    let response = get("/recommend?user=u1", &[]);
    assert_eq!(response.headers()["bspm-model"], "shop");
    let (first, second) = (get("/healthz", &[]), get("/healthz", &[]));
    assert_ne!(
        first.headers()["x-request-id"],
        second.headers()["x-request-id"]
    );
    // Only the page of the named site may read the responses.
    let allowed = get("/recommend?user=u1", &[("origin", "https://shop.example")]);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://shop.example"
    );
    let other = get("/recommend?user=u1", &[("origin", "https://evil.example")]);
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    let path = path.to_string_lossy();
    for odd in [
        "shop.example",
        "https://shop.example/page",
        "*",
        "ftp://shop.example",
    ] {
        let (is_done, text) = bspm(&["serve", &path, "--cors", odd]);
        assert!(!is_done && text.contains("expected an origin"), "{text}");
    }
}
