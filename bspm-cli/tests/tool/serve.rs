//! `bspm serve`, over loopback: its responses, and its behaviour in case of errors.

#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bspm::data::{ItemColumn, ItemTable};
use bspm::{BspmConfig, CpuBackend, CpuModel, Dataset, RecommendOptions};
use bspm_rules::ItemCondition;
use serde_json::{Value, json};

use crate::service::{Service, agent, as_json, connection, save};

/// A list in the format of the service, without unknown items.
fn listed(list: &[bspm::Recommendation]) -> Value {
    json!({"items": as_json(list), "unknown_items": []})
}

/// Checks that the items are the same, and the scores up to rounding: requests that arrive together are
/// scored as a tile.
fn assert_same_list(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_array().unwrap(), expected.as_array().unwrap());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found["item"], expected["item"]);
        let scores = (
            found["score"].as_f64().unwrap(),
            expected["score"].as_f64().unwrap(),
        );
        assert!(
            (scores.0 - scores.1).abs() <= 1e-5 * scores.1.abs(),
            "{scores:?}"
        );
    }
}

#[test]
fn every_address_answers_with_what_the_model_says() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    for arguments in [&[][..], &["--copy"]] {
        let service = Service::start(&path, arguments);
        assert_eq!(
            service.json("/recommend?user=u3&k=4"),
            listed(&model.recommend("u3", 4).unwrap())
        );
        let options = RecommendOptions::top(5).deny(["i1".to_owned(), "i2".into()]);
        assert_eq!(
            service.json("/recommend?user=u3&k=5&deny=i1,i2"),
            listed(&model.recommend("u3", options).unwrap())
        );
        let history = [("i1", 2.0_f32), ("i9", -1.0)];
        let body =
            json!({"k": 6, "history": [{"item": "i1", "weight": 2}, {"item": "i9", "weight": -1}]});
        assert_eq!(
            service.post("/recommend", &body),
            (
                200,
                listed(&model.recommend_for_history(history, 6).unwrap())
            )
        );
        assert_eq!(
            service.post("/recommend", &json!({"history": ["i4", "i5"], "k": 3})),
            (
                200,
                listed(&model.recommend_for_items(["i4", "i5"], 3).unwrap())
            )
        );
        assert_eq!(
            service.json("/similar?item=i7&k=3"),
            listed(&model.similar_items("i7", 3).unwrap())
        );
        let mut explanation = as_json(model.explain("u3", "i7").unwrap());
        explanation["unknown_items"] = json!([]);
        assert_eq!(service.json("/explain?user=u3&item=i7"), explanation);
        assert_eq!(
            service.json("/score?user=u3&items=i7,i8"),
            json!({"scores": as_json(model.score("u3", ["i7", "i8"]).unwrap()), "unknown_items": []})
        );
        let weights = [("i1", 2.0_f32), ("i9", 1.0)];
        let body = json!({
            "history": [{"item": "i1", "weight": 2}, "nothing", "i9"], "items": ["i7", "i8"]
        });
        let scores = as_json(model.score_history(weights, ["i7", "i8"]).unwrap());
        let expected = json!({"scores": scores, "unknown_items": ["nothing"]});
        assert_eq!(service.post("/score", &body), (200, expected));
        let options = || RecommendOptions::top(5).keep_seen();
        assert_eq!(
            service.json("/recommend?user=u3&k=5&keep_seen=true"),
            listed(&model.recommend("u3", options()).unwrap())
        );
        let body = json!({"history": ["i4", "i5"], "k": 5, "keep_seen": true});
        let expected = listed(&model.recommend_for_items(["i4", "i5"], options()).unwrap());
        assert!(expected.to_string().contains("\"i4\""), "{expected}");
        assert_eq!(service.post("/recommend", &body), (200, expected));
        let degrees = model.dataset().interactions().item_degrees();
        let mut items: Vec<(u32, &str)> = degrees
            .into_iter()
            .zip(model.dataset().items().iter().map(String::as_str))
            .filter(|(_, item)| item.contains('7'))
            .collect();
        items.sort_by_key(|it| std::cmp::Reverse(it.0));
        let expected: Vec<Value> = items[..3]
            .iter()
            .map(|(users, item)| json!({"item": item, "users": users}))
            .collect();
        assert_eq!(
            service.json("/items?search=7&k=3"),
            json!({"items": expected})
        );
        assert_eq!(
            service.json("/items?search=I59"),
            service.json("/items?search=i59")
        );
        assert_eq!(service.json("/items?search=nothing"), json!({"items": []}));
        let health = service.json("/healthz");
        assert_eq!(
            (&health["status"], &health["users"]),
            (&json!("ok"), &json!(120))
        );
        let description = service.json("/openapi.json");
        for path in description["paths"].as_object().unwrap().keys() {
            assert!(
                service.get(path).0 < 500 && service.get(path).0 != 404,
                "{path}"
            );
        }
        assert!(service.get("/").1.contains("<title>bspm</title>"));
        let metrics = service.get("/metrics").1;
        let line = "bspm_requests_total{path=\"/similar\",status=\"200\"} 1";
        assert!(metrics.contains(line), "{metrics}");
        for queue in ["lists", "other"] {
            let line = format!("bspm_queue_length{{queue=\"{queue}\"}} 0\n");
            assert!(metrics.contains(&line), "{metrics}");
        }

        for (path, status, expected) in [
            ("/recommend?user=nobody", 404, "user \"nobody\" is unknown"),
            ("/similar?item=x", 404, "item \"x\" is unknown"),
            (
                "/recommend?user=u3&k=0",
                400,
                "k: expected a number from 1 to 10000, found 0",
            ),
            (
                "/recommend?user=u3&k=many",
                400,
                "k: expected a whole number, found \"many\"",
            ),
            (
                "/recommend?user=u3&deny=i1&deny=i2",
                400,
                "duplicate field `deny`; hint: write the ids",
            ),
            (
                "/recommend?user=u3&fallback=all",
                400,
                "fallback: expected popularity or none, found \"all\"",
            ),
            (
                "/recommend?user=u3&colour=red",
                400,
                "unknown field `colour`",
            ),
            (
                "/recommend?user=u3&k=201&diversity=0.5",
                400,
                "k: expected at most 200 with diversity, found 201",
            ),
            ("/explain?item=i3", 400, "missing field `user`"),
            ("/elsewhere", 404, "path not found"),
        ] {
            let (found, body) = service.get(path);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(found, status, "{path}");
            assert!(
                body["error"].as_str().unwrap().contains(expected),
                "{path}: {body}"
            );
        }
        // A field that is null is not set.
        let mut body = json!({"user": "u3", "k": 4});
        for name in [
            "model",
            "history",
            "deny",
            "allow",
            "keep_seen",
            "minimum_score",
            "where",
            "boost",
            "at_most",
            "popularity_penalty",
            "diversity",
            "diversity_method",
            "fallback",
        ] {
            body[name] = Value::Null;
        }
        let expected = listed(&model.recommend("u3", 4).unwrap());
        assert_eq!(service.post("/recommend", &body), (200, expected));
        let both = json!({"user": "u3", "history": ["i1"]});
        for (body, expected) in [
            (
                json!({"history": [{"item": "i1"}]}),
                "history[0]: missing field `weight`",
            ),
            (both, "expected either a user or a history, found both"),
            (
                json!({}),
                "expected either a user or a history, found neither",
            ),
        ] {
            let (status, body) = service.post("/recommend", &body);
            assert_eq!(status, 400, "{body}");
            assert!(
                body["error"].as_str().unwrap().starts_with(expected),
                "{body}"
            );
        }
    }
}

#[test]
fn a_repeated_item_counts_the_same_whatever_else_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let weighted = |item: &str, weight: f32| json!({"item": item, "weight": weight});
    let once = model.recommend_for_items(["i1", "i4"], 5).unwrap();
    let summed = [("i1", 2.0_f32), ("i4", 1.0)];
    let summed = model.recommend_for_history(summed, 5).unwrap();
    assert_ne!(once[0].score, summed[0].score);
    for (history, expected) in [
        (json!(["i1", "i4", "i1"]), &once),
        (json!(["i1", "i4"]), &once),
        (json!([weighted("i1", 1.0), "i4", "i1"]), &summed),
        (
            json!([
                weighted("i1", 1.0),
                weighted("i1", 1.0),
                weighted("i4", 1.0)
            ]),
            &summed,
        ),
        (json!([weighted("i1", 2.0), "i4"]), &summed),
    ] {
        let all: Vec<&String> = model.dataset().items().iter().collect();
        for more in [
            json!({}),
            json!({"deny": ["i1"]}),
            json!({"allow": all}),
            json!({"minimum_score": -1e9}),
        ] {
            let mut body = json!({"history": history, "k": 5});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let (status, found) = service.post("/recommend", &body);
            assert_eq!(status, 200, "{body}: {found}");
            assert_same_list(&found["items"], &as_json(expected));
        }
    }
}

/// A model whose ids are numbers.
fn numbered(folder: &Path) -> (PathBuf, CpuModel) {
    let pairs =
        (0..40).flat_map(|user| (0..5).map(move |step| (user, (user * 2 + step * step) % 15)));
    let pairs = pairs.map(|(user, item)| (user.to_string(), item.to_string()));
    let config = BspmConfig::builder().build().unwrap();
    let model = CpuModel::fit(
        CpuBackend::new(),
        Dataset::from_pairs(pairs).unwrap(),
        config,
    );
    let (path, model) = (folder.join("numbers.bspm"), model.unwrap());
    model.save(&path).unwrap();
    (path, model)
}

#[test]
fn whole_numbers_are_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = numbered(folder.path());
    let service = Service::start(&path, &[]);
    for (path, numbers, texts) in [
        (
            "/recommend",
            json!({"user": 1, "k": 2}),
            json!({"user": "1", "k": 2}),
        ),
        (
            "/recommend",
            json!({"history": [1, {"item": 2, "weight": 3}], "deny": [4], "allow": [4, 5, 6, 7]}),
            json!({"history": ["1", {"item": "2", "weight": 3}], "deny": ["4"], "allow": ["4", "5", "6", "7"]}),
        ),
        (
            "/explain",
            json!({"user": 1, "item": 2}),
            json!({"user": "1", "item": "2"}),
        ),
        (
            "/explain",
            json!({"history": [1, 3], "item": 2}),
            json!({"history": ["1", "3"], "item": "2"}),
        ),
        (
            "/score",
            json!({"user": 1, "items": [2, 3]}),
            json!({"user": "1", "items": ["2", "3"]}),
        ),
    ] {
        let (status, found) = service.post(path, &numbers);
        assert_eq!(status, 200, "{numbers}: {found}");
        assert_eq!((status, found), service.post(path, &texts), "{numbers}");
    }
    let id = "expected an id (a string or a whole number)";
    for (path, body, expected) in [
        (
            "/recommend",
            json!({"user": 1.5}),
            format!("user: invalid type: floating point `1.5`, {id}"),
        ),
        (
            "/recommend",
            json!({"history": [1.5]}),
            format!("history[0]: invalid type: floating point `1.5`, {id}"),
        ),
        ("/recommend", json!({"deny": [true], "user": 1}), id.into()),
        (
            "/recommend",
            json!({"user": 1, "k": "many"}),
            "k: invalid type: string \"many\", expected a whole number".into(),
        ),
        (
            "/recommend",
            json!({"user": 1, "k": -1}),
            "expected a whole number".into(),
        ),
        (
            "/recommend",
            json!({"user": 1, "minimum_score": "x"}),
            "expected a number".into(),
        ),
        (
            "/recommend",
            json!({"history": [{"item": 1}]}),
            "missing field `weight`".into(),
        ),
        (
            "/recommend",
            json!([1]),
            "an object with a user or a history".into(),
        ),
        // Not the values of the fields, in their order.
        (
            "/recommend",
            json!(["1", null, 3, [], null, null, "none"]),
            "an object with a user or a history".into(),
        ),
        (
            "/explain",
            json!(["1", null, "2"]),
            "an object with an item, and a user or a history".into(),
        ),
        (
            "/score",
            json!(["1", ["2"]]),
            "an object with items, and a user or a history".into(),
        ),
        (
            "/recommend",
            json!("x"),
            "an object with a user or a history".into(),
        ),
        (
            "/explain",
            json!("x"),
            "an object with an item, and a user or a history".into(),
        ),
        (
            "/score",
            json!([]),
            "an object with items, and a user or a history".into(),
        ),
        (
            "/score",
            json!({"user": 1, "items": 2}),
            "items: invalid type: integer `2`, expected an array".into(),
        ),
        (
            "/recommend",
            json!({"history": {"1": 2}}),
            "history: invalid type: object, expected an array".into(),
        ),
    ] {
        let (status, found) = service.post(path, &body);
        assert!((400..500).contains(&status), "{body}: {status}");
        let message = found["error"].as_str().unwrap();
        assert!(message.contains(&expected), "{body}: {message}");
        for word in [
            "deserialize",
            "target type",
            "struct",
            "usize",
            "f32",
            "f64",
            "enum",
            "Option",
        ] {
            assert!(!message.contains(word), "{body}: {message}");
        }
    }
    let request = agent().post(format!("http://{}/recommend", service.address));
    let request = request.header("content-type", "application/json");
    let message: Value = request.send("{").unwrap().body_mut().read_json().unwrap();
    assert!(
        message["error"]
            .as_str()
            .unwrap()
            .starts_with("invalid JSON: "),
        "{message}"
    );
    let request = agent().post(format!("http://{}/recommend", service.address));
    let request = request.header("content-type", "application/json");
    let mut compressed = request
        .header("content-encoding", "gzip")
        .send(&[31, 139, 8][..])
        .unwrap();
    assert_eq!(compressed.status().as_u16(), 415);
    let message: Value = compressed.body_mut().read_json().unwrap();
    let expected = "content-encoding: expected no compression of the body, found \"gzip\"";
    assert_eq!(message["error"], json!(expected));
    assert_eq!(service.post("/recommend", &json!({"user": 999})).0, 404);
}

#[test]
fn unknown_items_are_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let expected = as_json(model.recommend_for_items(["i4", "i5"], 3).unwrap());
    let (status, found) = service.post(
        "/recommend",
        &json!({"history": ["x", "i4", {"item": "y", "weight": 1}, "i5", "x"], "k": 3}),
    );
    assert_eq!(status, 200, "{found}");
    assert_same_list(&found["items"], &expected);
    assert_eq!(found["unknown_items"], json!(["x", "y"]));
    let body =
        json!({"history": ["i4", "i5"], "deny": ["sold out", "i1"], "allow": ["z", "i2", "i1"]});
    let (status, found) = service.post("/recommend", &body);
    assert_eq!(
        (status, &found["unknown_items"]),
        (200, &json!(["sold out", "z"]))
    );
    let items = found["items"].as_array().unwrap();
    assert!(items.iter().all(|it| it["item"] == "i2"), "{found}");
    let found = service.json("/recommend?user=u3&k=2&deny=nothing");
    assert_eq!(found["unknown_items"], json!(["nothing"]));
    assert_same_list(&found["items"], &as_json(model.recommend("u3", 2).unwrap()));
    let (status, found) = service.post("/explain", &json!({"history": ["i4", "x"], "item": "i5"}));
    let mut expected = as_json(model.explain_for_items(["i4"], "i5").unwrap());
    expected["unknown_items"] = json!(["x"]);
    assert_eq!((status, found), (200, expected));
    // Without a known item, the list contains only popular items.
    let (status, found) =
        service.post("/recommend", &json!({"history": ["x"], "fallback": "none"}));
    assert_eq!(
        (status, found),
        (200, json!({"items": [], "unknown_items": ["x"]}))
    );
    for body in [
        json!({"user": "nobody"}),
        json!({"user": "nobody", "deny": ["x"]}),
    ] {
        assert_eq!(service.post("/recommend", &body).0, 404, "{body}");
    }
    let history = json!({"history": ["i4"], "item": "x"});
    assert_eq!(service.post("/explain", &history).0, 404);
    // An explanation accepts the same histories as a list.
    let weighted = json!({"history": ["i4", {"item": "i5", "weight": -2}], "item": "i7"});
    let weights = [("i4", 1.0), ("i5", -2.0)];
    let mut expected = as_json(model.explain_for_history(weights, "i7").unwrap());
    expected["unknown_items"] = json!([]);
    assert_eq!(service.post("/explain", &weighted), (200, expected));
}

#[test]
fn a_history_that_has_no_finite_score_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--workers", "1"]);
    let history: Vec<Value> = (0..40)
        .map(|item| json!({"item": format!("i{item}"), "weight": 3.4e38}))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (status, found) = service.post("/recommend", &json!({"history": history}));
                    let message = found["error"].as_str().unwrap_or_default();
                    assert!(status == 400 && message.starts_with("weight: "), "{found}");
                }
            });
            scope.spawn(|| {
                for _ in 0..10 {
                    let found = service.json("/recommend?user=u3&k=4");
                    assert_same_list(&found["items"], &as_json(model.recommend("u3", 4).unwrap()));
                }
            });
        }
    });
}

#[test]
fn requests_that_come_together_are_each_answered_with_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--workers", "1"]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (service, model) = (&service, &model);
            scope.spawn(move || {
                for turn in 0..40 {
                    let (user, k) = (format!("u{}", (thread * 40 + turn) % 120), 1 + turn % 9);
                    let found = service.json(&format!("/recommend?user={user}&k={k}"));
                    assert_same_list(
                        &found["items"],
                        &as_json(model.recommend(user.as_str(), k).unwrap()),
                    );
                }
            });
        }
    });
}

#[test]
fn who_is_slow_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--timeout", "1"]);
    let body = "POST /recommend HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    for sent in ["GET /recommend?user=u1 HTTP/1.1\r\nho", body] {
        let start = Instant::now();
        let mut answer = String::new();
        let _ = connection(&service.address, sent).read_to_string(&mut answer);
        assert!(start.elapsed() < Duration::from_secs(15));
        assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
    }
    service.json("/healthz");
}

#[test]
fn descriptors_that_run_out_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let line = format!(
        "ulimit -n 40; exec {} serve {} --address 127.0.0.1:0 --timeout 1",
        env!("CARGO_BIN_EXE_bspm"),
        path.display()
    );
    let mut service = Service::of(Command::new("sh").args(["-c", &line]));
    let idle: Vec<TcpStream> = (0..80).map(|_| connection(&service.address, "")).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert!(service.process.try_wait().unwrap().is_none(), "it ended");
    drop(idle);
    service.json("/recommend?user=u1");
}

#[test]
fn a_full_queue_is_said_and_what_was_accepted_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--workers", "1", "--queue", "1"]);
    let (answered, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for turn in 0..30 {
                    // An explanation scores each item of a long history separately.
                    let history: Vec<String> =
                        (0..2_000).map(|place| format!("i{}", place % 60)).collect();
                    let body = json!({"history": history, "item": format!("i{}", turn % 60)});
                    let request = agent().post(format!("http://{}/explain", service.address));
                    let response = request.send_json(&body).unwrap();
                    match response.status().as_u16() {
                        200 => answered.fetch_add(1, Ordering::Relaxed),
                        503 => {
                            assert_eq!(response.headers()["retry-after"], "1");
                            busy.fetch_add(1, Ordering::Relaxed)
                        }
                        other => panic!("status {other}"),
                    };
                }
            });
        }
    });
    let (answered, busy) = (answered.into_inner(), busy.into_inner());
    assert_eq!(answered + busy, 16 * 30);
    assert!(answered > 0 && busy > 0, "{answered} answered, {busy} busy");
}

#[test]
fn an_end_that_is_asked_for_answers_what_has_begun() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = save(folder.path(), "shop.bspm", 0);
        let mut service = Service::start(&path, &["--workers", "1"]);
        let history: Vec<String> = (0..400).map(|place| format!("i{}", place % 60)).collect();
        let body = json!({"history": history, "item": "i5"}).to_string();
        let request = format!(
            "POST /explain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let streams: Vec<TcpStream> = (0..100)
            .map(|_| connection(&service.address, &request))
            .collect();
        // Connections are accepted in order: after these responses, the server has the requests above.
        for _ in 0..20 {
            assert_eq!(service.get("/healthz").0, 200);
        }
        service.signal(signal);
        for mut stream in streams {
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
        }
        assert!(service.process.wait().unwrap().success());
    }
}

#[test]
fn a_model_that_is_replaced_is_served_without_a_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = save(folder.path(), "shop.bspm", 0);
    let (other, new) = save(folder.path(), "next.bspm", 5);
    let service = Service::start(&path, &[]);
    let lists = |model: &CpuModel| listed(&model.recommend("u9", 5).unwrap());
    let (old, new) = (lists(&old), lists(&new));
    assert_ne!(old, new);
    let items = |list: &Value| -> Vec<Value> {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["item"].clone())
            .collect()
    };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let found = items(&service.json("/recommend?user=u9&k=5"));
                    assert!(found == items(&old) || found == items(&new), "{found:?}");
                }
            });
        }
        let is_new = || items(&service.json("/recommend?user=u9&k=5")) == items(&new);
        let becomes = |expected: bool| {
            let deadline = Instant::now() + Duration::from_secs(30);
            while is_new() != expected && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            is_new() == expected
        };
        fs::rename(&other, &path).unwrap();
        let was_replaced = becomes(true);
        // An invalid model file is not served: the old model stays, also if a reload is requested.
        let broken = folder.path().join("broken");
        fs::write(&broken, "no model").unwrap();
        fs::rename(&broken, &path).unwrap();
        service.signal("-HUP");
        std::thread::sleep(Duration::from_millis(1500));
        let has_stayed = is_new();
        is_over.store(true, Ordering::Relaxed);
        assert!(was_replaced && has_stayed);
    });
}

#[test]
fn what_cannot_be_served_is_said() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_bspm"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let error = run(&["serve", "/nowhere.bspm"]);
    assert!(error.contains("/nowhere.bspm"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = run(&["serve", path.to_str().unwrap(), "--address", &address]);
    assert!(
        error.contains(&format!("cannot listen on {address}")),
        "{error}"
    );
}

#[test]
fn answers_have_the_titles_of_the_item_table_and_items_are_found_by_them() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let titles = [
        ("i7", "Green tea"),
        ("i8", "<b>Tea</b>"),
        ("i9", "Milk"),
        ("new", "Tea of tomorrow"),
    ];
    let titles = titles.map(|(item, title)| (item.to_owned(), title));
    let table = ItemTable::from_titles(titles).unwrap();
    let model = model.with_items(table).unwrap();
    model.save(&path).unwrap();
    let service = Service::start(&path, &[]);

    let title = |entry: &Value| entry.get("title").cloned();
    let list = service.json("/recommend?user=u3&k=60");
    assert_eq!(list, listed(&model.recommend("u3", 60).unwrap()));
    let mut with_title = 0;
    for entry in list["items"].as_array().unwrap() {
        let expected = model.dataset().title(entry["item"].as_str().unwrap());
        assert_eq!(title(entry), expected.map(|it| json!(it)));
        with_title += usize::from(expected.is_some());
    }
    assert!(with_title > 0);
    let explained = service
        .post("/explain", &json!({"history": ["i9", "i1"], "item": "i7"}))
        .1;
    assert_eq!(title(&explained), Some(json!("Green tea")));
    for part in explained["contributions"].as_array().unwrap() {
        let expected = (part["item"] == "i9").then(|| json!("Milk"));
        assert_eq!(title(part), expected);
    }
    // Search by title and by id, ignoring case; an item without interactions is in no list.
    let found = |search: &str| {
        let found = service.json(&format!("/items?search={search}"));
        let entries = found["items"].as_array().unwrap().clone();
        let mut ids: Vec<String> = entries
            .iter()
            .map(|it| it["item"].as_str().unwrap().into())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found("TEA"), ["i7", "i8"]);
    assert_eq!(found("i59"), ["i59"]);
    let tea = service.json("/items?search=green");
    assert_eq!(title(&tea["items"][0]), Some(json!("Green tea")));
}

#[test]
fn lists_may_be_of_items_that_satisfy_a_condition() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let ids: Vec<String> = model.dataset().items().iter().cloned().collect();
    let columns = vec![
        ItemColumn::texts("title", ids.iter().map(String::as_str)),
        ItemColumn::numbers("price", (0..ids.len()).map(|it| it as f64)),
    ];
    let table = ItemTable::new(ids.iter().cloned().collect(), "title", columns).unwrap();
    let model = model.with_items(table).unwrap();
    model.save(&path).unwrap();
    let service = Service::start(&path, &[]);
    let condition: ItemCondition = "price < 20".parse().unwrap();
    let set = condition.items(model.dataset()).unwrap();
    let options = RecommendOptions::top(60).allow_set(set);
    let expected = listed(&model.recommend("u3", options.clone()).unwrap());
    let count = expected["items"].as_array().unwrap().len();
    assert!((1..20).contains(&count), "{count}");
    let rest = "&k=60&fallback=none&where=price%20%3C%2020";
    assert_eq!(service.json(&format!("/recommend?user=u3{rest}")), expected);
    let boost = json!([{"where": "price < 20", "factor": 1000.0}]);
    let body = json!({"user": "u3", "k": 60, "fallback": "none", "boost": boost});
    let (status, boosted) = service.post("/recommend", &body);
    let cheap = expected["items"].as_array().unwrap().iter();
    let first = boosted["items"].as_array().unwrap().iter();
    assert_eq!(status, 200);
    assert!(
        cheap
            .zip(first)
            .all(|(left, right)| left["item"] == right["item"])
    );
    let limit = json!([{"column": "price", "count": 1}]);
    let body = json!({"user": "u3", "k": 5, "at_most": limit, "diversity": 0.5});
    let (status, limited) = service.post("/recommend", &body);
    assert_eq!(
        (status, limited["items"].as_array().unwrap().len()),
        (200, 5)
    );
    service.json("/recommend?user=u3&diversity=0.5&diversity_method=dpp&popularity_penalty=0.5");
    for (body, expected) in [
        (
            json!({"user": "u3", "at_most": [{"column": "colour", "count": 1}]}),
            "at_most: ",
        ),
        (
            json!({"user": "u3", "boost": [{"where": "price <", "factor": 1.0}]}),
            "where: ",
        ),
        (json!({"user": "u3", "diversity": 2.0}), "diversity: "),
        (
            json!({"user": "u3", "diversity_method": "dpp"}),
            "no effect without diversity",
        ),
        (
            json!({"user": "u3", "k": 1000, "diversity": 0.5}),
            "k: expected at most 200",
        ),
        (
            json!({"user": "u3", "at_most": vec![limit[0].clone(); 40]}),
            "at most 32 rules",
        ),
    ] {
        let (status, found) = service.post("/recommend", &body);
        assert_eq!(status, 400, "{body}");
        assert!(
            found["error"].as_str().unwrap().contains(expected),
            "{found}"
        );
    }
    let body = json!({"user": "u3", "k": 60, "fallback": "none", "where": "price < 20"});
    assert_eq!(service.post("/recommend", &body), (200, expected));
    assert_eq!(
        service.json("/similar?item=i7&k=60&where=price%20%3C%2020"),
        listed(&model.similar_items("i7", options).unwrap())
    );
    for (condition, expected) in [
        ("colour%20=%201", "expected one of the columns title, price"),
        ("price%20%3C", "expected a condition such as"),
    ] {
        let (status, body) = service.get(&format!("/recommend?user=u3&where={condition}"));
        assert!(status == 400 && body.contains(expected), "{status} {body}");
    }
}
