//! `bspm serve --events`: events count at once, survive the process, and count once.

#![cfg(unix)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bspm::data::History;
use bspm::fitted::{ListRequest, RankOptions};
use bspm::{CpuBackend, CpuModel, Dataset};
use serde_json::{Value, json};

use crate::service::{Service, agent, as_json, becomes, bspm, save};

fn events_of(folder: &Path) -> String {
    folder.join("events").to_string_lossy().into_owned()
}

/// The events of the log: ids, and pairs of a user and an item.
fn logged(folder: &str) -> Vec<(Option<String>, String, String)> {
    let mut found = Vec::new();
    bspm_events::read(Path::new(folder), |event| {
        found.push((event.id, event.user, event.item));
    })
    .unwrap();
    found
}

fn accepted(accepted: u32, duplicates: u32, not_counted: u32) -> (u16, Value) {
    let answer =
        json!({"accepted": accepted, "duplicates": duplicates, "not_counted": not_counted});
    (200, answer)
}

fn listed(list: &[bspm::Recommendation]) -> Value {
    json!({"items": as_json(list), "unknown_items": []})
}

/// The items of a user in the model.
fn items_of<'m>(model: &'m CpuModel, user: &str) -> Vec<&'m str> {
    let items = model.dataset().history(user).unwrap();
    items.into_iter().map(String::as_str).collect()
}

#[test]
fn an_event_counts_in_the_next_list() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events]);
    // A user of the model: the item leaves the list, and the list is that of the whole history.
    let first = service.json("/recommend?user=u3&k=1")["items"][0]["item"].clone();
    let first = first.as_str().unwrap();
    let event = json!({"user": "u3", "item": first});
    assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    let mut history = items_of(&model, "u3");
    history.push(first);
    let expected = model
        .recommend_for_items(history.iter().copied(), 5)
        .unwrap();
    assert_eq!(service.json("/recommend?user=u3&k=5"), listed(&expected));
    // Weights: the largest one of an item counts.
    let weighted = json!({"events": [
        {"user": "u3", "item": first, "weight": 3},
        {"user": "u3", "item": first, "weight": 2},
        {"user": "u3", "item": "i59", "weight": 0.5},
    ]});
    assert_eq!(service.post("/events", &weighted), accepted(3, 0, 0));
    let mut weights: HashMap<&str, f32> = history.iter().map(|&item| (item, 1.0)).collect();
    weights.insert(first, 3.0);
    let is_known = weights.contains_key("i59");
    weights.entry("i59").or_insert(0.5);
    let history = || weights.iter().map(|(&item, &weight)| (item, weight));
    let expected = model.recommend_for_history(history(), 5).unwrap();
    assert_eq!(service.json("/recommend?user=u3&k=5"), listed(&expected));
    let mut explanation = as_json(model.explain_for_history(history(), "i7").unwrap());
    explanation["unknown_items"] = json!([]);
    let found = service.json("/explain?user=u3&item=i7");
    assert_eq!(found["score"], explanation["score"]);
    let scores = model.score_history(history(), ["i7", "i8"]).unwrap();
    assert_eq!(
        service.json("/score?user=u3&items=i7,i8"),
        json!({"scores": as_json(scores), "unknown_items": []})
    );
    let shown = service.json("/history?user=u3&k=3");
    assert_eq!(shown["items"][0], json!({"item": first, "weight": 3.0}));
    let length = model.dataset().history("u3").unwrap().len() + 1 + usize::from(!is_known);
    assert_eq!(shown["interactions"], json!(length));
    // A new user.
    assert_eq!(service.get("/recommend?user=zoe").0, 404);
    let event = json!({"user": "zoe", "item": "i4", "time": 17.5, "kind": "view", "id": "e1"});
    assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    assert_eq!(service.post("/events", &event), accepted(0, 1, 0));
    let expected = listed(&model.recommend_for_items(["i4"], 6).unwrap());
    assert_eq!(service.json("/recommend?user=zoe&k=6"), expected);
    // The same after a restart, also of another model.
    drop(service);
    let (path, model) = save(folder.path(), "other.bspm", 3);
    let service = Service::start(&path, &["--events", &events]);
    let expected = listed(&model.recommend_for_items(["i4"], 6).unwrap());
    assert_eq!(service.json("/recommend?user=zoe&k=6"), expected);
    assert_eq!(service.post("/events", &event), accepted(0, 1, 0));
    assert_eq!(logged(&events).len(), 5);
    let metrics = service.get("/metrics").1;
    for line in [
        "bspm_event_users 2",
        "bspm_event_pairs 3",
        "bspm_event_duplicates_total 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[test]
fn a_new_user_of_a_model_with_weights_has_weights() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Dataset::builder();
    for number in 0..60_u32 {
        let (user, item) = (format!("u{}", number % 12), format!("i{}", number % 7));
        let interaction = bspm::data::Event::new(user, item);
        builder
            .push(interaction.weight(f64::from(number % 3 + 1)))
            .unwrap();
    }
    let scale = bspm::data::WeightScale::Log;
    let decay = bspm::data::Decay::new(30.0, 100.0).unwrap();
    let dataset: Dataset = builder.finish().unwrap().with_weight_scale(Some(scale));
    let dataset = dataset.with_decay(Some(decay));
    let config = bspm::filters::ItemKnn::default();
    let model = CpuModel::fit(CpuBackend::new(), dataset, config).unwrap();
    let path = folder.path().join("shop.bspm");
    model.save(&path).unwrap();
    let service = Service::start(&path, &["--events", &events_of(folder.path())]);
    assert_eq!(service.json("/model")["weight_scale"], json!("log"));
    assert_eq!(service.json("/model")["half_life"], json!(30.0));
    let event = json!({"user": "zoe", "item": "i1"});
    assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    let shown = service.json("/history?user=zoe");
    assert_eq!(shown["items"], json!([{"item": "i1", "weight": 1.0}]));
    let scores = service.json("/score?user=zoe&items=i2,i3");
    let expected = model
        .score_history([("i1", 1.0_f32)], ["i2", "i3"])
        .unwrap();
    assert_eq!(scores["scores"], as_json(expected));
}

#[test]
fn new_items_are_folded_in() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events, "--new-items", "1"]);
    for user in 0..6 {
        let event = json!({"user": format!("u{user}"), "item": "new item"});
        assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    }
    let unknown = service.json("/recommend?user=u1&k=1")["unknown_items"].clone();
    assert!(unknown == json!(["new item"]) || unknown == json!([]));
    becomes(&service, "/similar?item=new%20item", |answer| {
        answer.contains("\"items\"")
    });
    let pairs = (0..6).map(|user| (format!("u{user}"), "new item".to_owned()));
    let extended = model.with_interactions(pairs).unwrap();
    assert_eq!(
        service.json("/similar?item=new%20item&k=4"),
        listed(&extended.similar_items("new item", 4).unwrap())
    );
    assert_eq!(
        service.json("/recommend?user=u1&k=4"),
        listed(&extended.recommend("u1", 4).unwrap())
    );
    // A restart folds them in before the first answer.
    drop(service);
    let service = Service::start(&path, &["--events", &events, "--new-items", "0"]);
    assert_eq!(service.get("/similar?item=new%20item").0, 200);
}

#[test]
fn kinds_have_weights_or_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let arguments = [
        "--events",
        &events,
        "--kind",
        "purchase=3",
        "--kind",
        "view=1",
    ];
    let service = Service::start(&path, &arguments);
    let posted = json!({"events": [
        {"user": "zoe", "item": "i1", "kind": "purchase", "weight": 2},
        {"user": "zoe", "item": "i2", "kind": "view"},
        {"user": "zoe", "item": "i3", "kind": "hover"},
        {"user": "zoe", "item": "i4"},
    ]});
    assert_eq!(service.post("/events", &posted), accepted(4, 0, 2));
    let metrics = service.get("/metrics").1;
    for line in ["bspm_events_total 4\n", "bspm_events_not_counted_total 2\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let history = [("i1", 6.0_f32), ("i2", 1.0)];
    let expected = listed(&model.recommend_for_history(history, 5).unwrap());
    assert_eq!(service.json("/recommend?user=zoe&k=5"), expected);
    drop(service);
    // A refit with the same weights gives the user the same history.
    let output = folder.path().join("refitted.bspm");
    let output = output.to_string_lossy();
    let model = path.to_string_lossy();
    let kinds = ["--kind", "purchase=3", "--kind", "view=1"];
    let refit = ["refit", &model, "--events", &events, "--output", &output];
    let (is_done, text) = bspm(&[&refit[..], &kinds].concat());
    assert!(is_done, "{text}");
    assert!(text.contains("events: 2 of 4 events in 1 files"), "{text}");
    let refitted: CpuModel = CpuModel::open(CpuBackend::new(), &*output).unwrap();
    let row = refitted.dataset().users().index("zoe").unwrap();
    let entries: Vec<(u32, f32)> = refitted
        .dataset()
        .interactions()
        .history_of(row)
        .entries()
        .collect();
    assert_eq!(entries.iter().map(|it| it.1).sum::<f32>(), 7.0);
    for odd in ["purchase", "=2", "view=0", "view=x", "view=-1"] {
        let (is_done, text) = bspm(&["serve", &model, "--events", &events, "--kind", odd]);
        assert!(!is_done && text.contains("expected KIND=WEIGHT"), "{text}");
    }
    let (is_done, text) = bspm(&["serve", &model, "--kind", "view=1"]);
    assert!(
        !is_done && text.contains("--kind has no effect without --events"),
        "{text}"
    );
}

#[test]
fn a_refit_warns_of_kinds_and_refuses_what_has_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events]);
    let event = json!({"user": "zoe", "item": "i1", "kind": "purchase", "id": 17});
    assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    assert_eq!(service.post("/events", &event), accepted(0, 1, 0));
    drop(service);
    let output = folder.path().join("refitted.bspm");
    let (model, output) = (path.to_string_lossy(), output.to_string_lossy());
    let refit =
        |arguments: &[&str]| bspm(&[&["refit", &*model, "--output", &*output], arguments].concat());
    let (is_done, text) = refit(&["--events", &events]);
    assert!(
        is_done && text.contains("the events have kinds (purchase)"),
        "{text}"
    );
    let (is_done, text) = refit(&["--events", &events, "--kind", "view=1"]);
    assert!(
        is_done && text.contains("no event has a kind of --kind"),
        "{text}"
    );
    let (is_done, text) = refit(&["--events", &events, "--kind", "a=1", "--kind", "a=2"]);
    assert!(
        !is_done && text.contains("expected each kind once"),
        "{text}"
    );
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_string_lossy();
    let (is_done, text) = refit(&["--events", &empty]);
    assert!(
        !is_done && text.contains("found no files of events"),
        "{text}"
    );
    let inside = format!("{events}/events-000001.jsonl");
    let (is_done, text) = bspm(&["refit", &model, "--events", &events, "--output", &inside]);
    assert!(
        !is_done && text.contains("outside the folder of --events"),
        "{text}"
    );
    // The file is data in a format of the tool.
    let fitted = [
        "fit",
        &inside,
        "--weight-column",
        "weight",
        "--filter",
        "popularity",
    ];
    let (is_done, text) = bspm(&[&fitted[..], &["--output", &output]].concat());
    assert!(is_done, "{text}");
}

#[test]
fn a_forgotten_user_leaves_the_model_and_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events, "--log-lists"]);
    let posted = json!({"events": [
        {"user": "zoe", "item": "i1", "kind": "view"},
        {"user": "eve", "item": "i2", "kind": "hover"},
        {"user": "u1", "item": "i3", "kind": "view"},
        {"user": "u2", "item": "i4", "kind": "view"},
    ]});
    assert_eq!(service.post("/events", &posted), accepted(4, 0, 0));
    service.json("/recommend?user=zoe");
    service.json("/recommend?user=u2");
    let (model, log) = (path.to_string_lossy(), Path::new(&events));
    let lists = log.join("lists-000001.jsonl");
    let lines = || fs::read_to_string(&lists).unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(40);
    while lines().lines().count() < 2 {
        assert!(Instant::now() < deadline, "{}", lines());
        std::thread::sleep(Duration::from_millis(10));
    }
    let refit = |users: &[&str]| {
        let users = users.iter().flat_map(|user| ["--forget-user", user]);
        let start = ["refit", &model, "--events", &events, "--output", &model];
        let arguments: Vec<&str> = start.into_iter().chain(users).collect();
        // Events of the kind hover do not count, so eve is only in the log.
        bspm(&[&arguments[..], &["--kind", "view=1"]].concat())
    };
    let (is_done, text) = refit(&["zoe"]);
    assert!(
        !is_done && text.contains("hint: stop the server first"),
        "{text}"
    );
    drop(service);
    let (is_done, text) = refit(&["zoe", "ghost"]);
    assert!(!is_done && text.contains("\"ghost\" is unknown"), "{text}");
    let (is_done, text) = refit(&["zoe", "eve", "u1"]);
    assert!(
        is_done && text.contains("removed 3 events and 1 lists"),
        "{text}"
    );
    let written = fs::read_to_string(log.join("events-000001.jsonl")).unwrap() + &lines();
    for user in ["zoe", "eve", "\"u1\""] {
        assert!(!written.contains(user), "{user}: {written}");
    }
    assert!(written.matches("u2").count() >= 2, "{written}");
    let refitted: CpuModel = CpuModel::open(CpuBackend::new(), &*model).unwrap();
    let users = refitted.dataset().users();
    assert!(users.index("zoe").is_none() && users.index("u1").is_none());
    assert!(users.index("u2").is_some());
}

#[test]
fn events_that_cannot_be_folded_in_prevent_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let events = events_of(folder.path());
    // The filter keeps a dense matrix, and its memory limit allows no matrix of many more items.
    let pairs = (0..60_u32).flat_map(|user| {
        (0..5).map(move |step| {
            (
                format!("u{user}"),
                format!("i{}", (user + step * step) % 30),
            )
        })
    });
    let config = bspm::filters::EaseR::published(bspm::Preset::Gowalla)
        .lambda(100.0)
        .memory_budget(40_000);
    let dataset: Dataset = Dataset::from_pairs(pairs).unwrap();
    let model = CpuModel::fit(CpuBackend::new(), dataset, config).unwrap();
    let path = folder.path().join("ease.bspm");
    model.save(&path).unwrap();
    let service = Service::start(&path, &["--events", &events, "--new-items", "0"]);
    let posted: Vec<Value> = (0..500)
        .map(|it| json!({"user": "zoe", "item": format!("new {it}")}))
        .collect();
    assert_eq!(
        service.post("/events", &json!({"events": posted})),
        accepted(500, 0, 0)
    );
    let list = service.json("/recommend?user=zoe&k=3");
    assert_eq!(list["unknown_items"].as_array().unwrap().len(), 100);
    drop(service);
    let service = Service::start(&path, &["--events", &events, "--new-items", "0"]);
    let expected = listed(&model.recommend("u1", 5).unwrap());
    assert_eq!(service.json("/recommend?user=u1&k=5"), expected);
}

#[test]
fn invalid_events_are_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events]);
    for (body, expected) in [
        (
            json!({"user": "a"}),
            "item: expected an id (a string or a whole number), found none",
        ),
        (
            json!({"item": "i1"}),
            "user: expected an id (a string or a whole number), found none",
        ),
        (
            json!({"user": "a", "item": "i1", "events": []}),
            "events: expected no other field",
        ),
        (
            json!({"user": "", "item": "i1"}),
            "user: expected a text of 1 to 1024 bytes",
        ),
        (json!({"user": "a", "item": 1.5}), "expected an id"),
        (
            json!({"user": "a", "item": "i1", "weight": 0}),
            "weight: expected a number from 1e-6 to 1e6",
        ),
        (json!({"user": "a", "item": "i1", "weight": 1e39}), "weight"),
        (
            json!({"user": "a", "item": "i1", "id": ""}),
            "id: expected a text of 1 to 256 bytes",
        ),
        (
            json!({"user": "a", "item": "i1", "more": 1}),
            "unknown field",
        ),
        (
            json!({"events": [{"user": "a", "item": "i1"}, {"user": "a"}]}),
            "missing field `item`",
        ),
        (
            json!({"events": [{"user": "a", "item": "i1"}, {"user": "a", "item": ""}]}),
            "events[1].item: expected a text of 1 to 1024 bytes",
        ),
        // Milliseconds.
        (
            json!({"user": "a", "item": "i1", "time": 1_767_000_000_000_u64}),
            "time: expected seconds since 1970, at most a day in the future, found 1767000000000",
        ),
        (
            json!({"events": [{"user": "a", "item": "i1", "time": 1_767_000_000_000_u64}]}),
            "events[0].time: expected seconds since 1970",
        ),
        (
            json!([]),
            "expected an object with a user and an item, or with events",
        ),
    ] {
        let (status, answer) = service.post("/events", &body);
        let error = answer["error"].as_str().unwrap();
        assert_eq!(status, 400, "{body}");
        assert!(error.contains(expected), "{body}: {error}");
    }
    assert_eq!(service.get("/events").0, 405);
    assert_eq!(logged(&events), []);
    // A second server cannot write to the same log.
    let model = path.to_string_lossy();
    let (is_done, text) = bspm(&[
        "serve",
        &model,
        "--address",
        "127.0.0.1:0",
        "--events",
        &events,
    ]);
    assert!(
        !is_done && text.contains("another process writes to this log"),
        "{text}"
    );
    drop(service);
    let service = Service::start(&path, &[]);
    let (status, answer) = service.post("/events", &json!({"user": "a", "item": "i1"}));
    assert_eq!(status, 404);
    assert!(
        answer["error"].as_str().unwrap().contains("--events"),
        "{answer}"
    );
}

#[test]
fn acknowledged_events_survive_kills_and_count_once() {
    const KILLS: u32 = 50;
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let next = AtomicU32::new(0);
    let acknowledged = Mutex::new(HashSet::new());
    let unanswered = Mutex::new(Vec::new());
    for kill in 0..KILLS {
        let service = Service::start(&path, &["--events", &events]);
        let address = service.address.clone();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let agent = agent();
                    loop {
                        // First the events without an answer, with the same ids.
                        let again = unanswered.lock().unwrap().pop();
                        let number = again.unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
                        let event = json!({"user": format!("u{}", number % 150),
                            "item": format!("i{}", number % 60), "id": format!("e{number}")});
                        let request = agent.post(format!("http://{address}/events"));
                        match request.send_json(&event) {
                            Ok(answer) if answer.status() == 200 => {
                                acknowledged.lock().unwrap().insert(format!("e{number}"));
                            }
                            _ => {
                                unanswered.lock().unwrap().push(number);
                                return;
                            }
                        }
                    }
                });
            }
            let before = acknowledged.lock().unwrap().len();
            while acknowledged.lock().unwrap().len() < before + 8 {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_micros(u64::from(kill) * 97 % 5_000));
            service.signal("-KILL");
        });
    }
    let service = Service::start(&path, &["--events", &events]);
    let acknowledged = acknowledged.into_inner().unwrap();
    let found = logged(&events);
    let ids: HashSet<&str> = found
        .iter()
        .filter_map(|event| event.0.as_deref())
        .collect();
    assert_eq!(ids.len(), found.len(), "an event is in the log twice");
    for id in &acknowledged {
        assert!(
            ids.contains(id.as_str()),
            "{id} was acknowledged and is lost"
        );
    }
    let attempted = next.into_inner() as usize;
    assert!(acknowledged.len() >= 8 * KILLS as usize && found.len() <= attempted);
    // They count in lists.
    let mut users: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (_, user, item) in &found {
        users.entry(user).or_default().insert(item);
    }
    for (user, items) in users.iter().take(20) {
        let list = service.json(&format!("/recommend?user={user}&k=60&fallback=none"));
        let listed = list["items"].as_array().unwrap();
        assert!(
            listed
                .iter()
                .all(|it| !items.contains(it["item"].as_str().unwrap()))
        );
    }
}

#[test]
fn a_torn_and_damaged_log_opens_with_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events]);
    let posted: Vec<Value> = (1..=3)
        .map(|it| json!({"user": "zoe", "item": format!("i{it}")}))
        .collect();
    assert_eq!(
        service.post("/events", &json!({"events": posted})),
        accepted(3, 0, 0)
    );
    drop(service);
    let file = Path::new(&events).join("events-000001.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let damaged = text.replacen("\"i2\"", "\"i9\"", 1);
    fs::write(&file, damaged + "{\"user\":\"zo").unwrap();
    let log = folder.path().join("stderr");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    command
        .arg("serve")
        .arg(&path)
        .args(["--address", "127.0.0.1:0", "--events", &events]);
    let service = Service::of(command.stderr(fs::File::create(&log).unwrap()));
    let expected = listed(&model.recommend_for_items(["i1", "i3"], 5).unwrap());
    assert_eq!(service.json("/recommend?user=zoe&k=5"), expected);
    service.signal("-TERM");
    let mut service = service;
    service.process.wait().unwrap();
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("skipped 1 damaged lines of the log"),
        "{text}"
    );
    assert!(
        text.contains("events-000001.jsonl:2: checksum mismatch"),
        "{text}"
    );
    assert!(
        text.contains("skipped an incomplete last line of 11 bytes"),
        "{text}"
    );
}

#[test]
fn a_refit_and_a_reload_under_load_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let service = Service::start(&path, &["--events", &events]);
    let is_over = AtomicBool::new(false);
    let model = path.to_string_lossy();
    let posted: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let (service, is_over) = (&service, &is_over);
                scope.spawn(move || {
                    let mut posted = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let user = format!("w{client}-{}", posted / 10);
                        let item = format!("i{}", posted % 10 * 3);
                        let event =
                            json!({"user": user, "item": item, "id": format!("{client}-{posted}")});
                        assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
                        posted += 1;
                        let list =
                            service.json(&format!("/recommend?user={user}&k=60&fallback=none"));
                        let items = list["items"].as_array().unwrap();
                        assert!(!items.is_empty());
                        assert!(
                            items.iter().all(|it| it["item"] != json!(item)),
                            "{item} was seen"
                        );
                    }
                    posted
                })
            })
            .collect();
        let reloads = || {
            let health = service.json("/healthz");
            health["model"]["reloads"].as_u64().unwrap()
        };
        for turn in 0..3 {
            let before = reloads();
            let refit = ["refit", &*model, "--events", &events, "--output", &*model];
            let (is_done, text) = bspm(&[&refit[..], &["--delete-events", "0"]].concat());
            assert!(is_done, "{turn}: {text}");
            becomes(&service, "/healthz", |_| reloads() != before);
        }
        is_over.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum()
    });
    drop(service);
    let found = logged(&events);
    assert_eq!(found.len(), posted);
    let refit = ["refit", &*model, "--events", &events, "--output", &*model];
    assert!(bspm(&refit).0);
    let refitted: CpuModel = CpuModel::open(CpuBackend::new(), &path).unwrap();
    for (_, user, item) in &found {
        assert!(
            items_of(&refitted, user).contains(&item.as_str()),
            "{user} {item}"
        );
    }
}

/// The list of a history in a tile.
fn batch_invariant(model: &CpuModel, history: &[&str], k: usize) -> Value {
    let columns = history
        .iter()
        .map(|item| model.dataset().items().index(*item).unwrap());
    let mut columns: Vec<u32> = columns.collect();
    columns.sort_unstable();
    columns.dedup();
    let requests = [ListRequest::new(History::from(&columns))];
    let options = RankOptions::top(k).batch_invariant();
    let ranking = model.filter().rank_requests(&requests, &options).unwrap();
    let items = ranking.lists[0].iter().map(|entry| {
        let item = model.dataset().items().id(entry.item).unwrap();
        json!({"item": item, "score": as_json(entry.score)})
    });
    json!(items.collect::<Vec<_>>())
}

#[test]
fn lists_after_events_are_exact_with_many_connections() {
    const CONNECTIONS: usize = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let events = events_of(folder.path());
    let arguments = [
        "--events",
        &events,
        "--batch-invariant",
        "--queue",
        "2000",
        "--connections",
        "1100",
    ];
    let service = Service::start(&path, &arguments);
    let user = |place: usize| format!("u{}", place % 120);
    let item = |place: usize| format!("i{}", place % 120 % 60);
    let posted: Vec<Value> = (0..120)
        .map(|place| json!({"user": user(place), "item": item(place)}))
        .collect();
    assert_eq!(
        service.post("/events", &json!({"events": posted})),
        accepted(120, 0, 0)
    );
    let expected: Vec<Value> = (0..120)
        .map(|place| {
            let (user, item) = (user(place), item(place));
            let mut history = items_of(&model, &user);
            history.push(&item);
            batch_invariant(&model, &history, 5)
        })
        .collect();
    for connections in [1, 64, CONNECTIONS] {
        // Fewer, if the system allows this process fewer open files.
        let mut streams: Vec<TcpStream> = (0..connections)
            .map_while(|_| TcpStream::connect(&service.address).ok())
            .collect();
        assert!(streams.len() >= connections.min(64));
        for (place, stream) in streams.iter_mut().enumerate() {
            let path = format!("/recommend?user={}&k=5&fallback=none", user(place));
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
        }
        for (place, mut stream) in streams.into_iter().enumerate() {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let list: Value = serde_json::from_str(body).unwrap();
            assert_eq!(
                list["items"],
                expected[place % 120],
                "{connections}: {place}"
            );
        }
    }
}

#[test]
fn a_weighted_model_gets_the_larger_weight() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Dataset::builder();
    for user in 0..40_u32 {
        for step in 0..5_u32 {
            let item = format!("i{}", (user * 3 + step * step) % 20);
            let event = bspm::data::Event::new(format!("u{user}"), item);
            builder.push(event.weight(f64::from(1 + step))).unwrap();
        }
    }
    let config = bspm::BspmConfig::builder().build().unwrap();
    let model = CpuModel::fit(CpuBackend::new(), builder.finish().unwrap(), config).unwrap();
    let path = folder.path().join("weighted.bspm");
    model.save(&path).unwrap();
    let service = Service::start(&path, &["--events", &events_of(folder.path())]);
    let row = model.dataset().users().index("u1").unwrap();
    let entries = model.dataset().interactions().history_of(row).entries();
    let mut weights: HashMap<&str, f32> = entries
        .map(|(column, weight)| (model.dataset().items().id(column).unwrap().as_str(), weight))
        .collect();
    let (&smaller, &larger) = {
        let mut items: Vec<&&str> = weights.keys().collect();
        items.sort();
        (items[0], items[1])
    };
    let (low, high) = (weights[smaller] / 2.0, weights[larger] * 2.0);
    let posted = json!({"events": [
        {"user": "u1", "item": smaller, "weight": low},
        {"user": "u1", "item": larger, "weight": high},
    ]});
    assert_eq!(service.post("/events", &posted), accepted(2, 0, 0));
    weights.insert(larger, high);
    let expected = model.recommend_for_history(weights, 5).unwrap();
    assert_eq!(service.json("/recommend?user=u1&k=5"), listed(&expected));
}

#[test]
fn a_refit_of_scaled_weights_takes_rows_without_weights_and_events_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let data = file(
        "data.csv",
        "user,item,n\nann,tea,3\nann,milk,7\nbob,tea,1\n",
    );
    let more = file("more.csv", "user,item\ncid,milk\n");
    let model = file("shop.bspm", "");
    let weights = ["--weight-column", "n", "--weight", "log"];
    let fit = [
        &["fit", &data, "--filter", "gf-cf", "--output", &model],
        &weights[..],
    ]
    .concat();
    let (is_done, text) = bspm(&fit);
    assert!(is_done, "{text}");
    let events = events_of(folder.path());
    let service = Service::start(Path::new(&model), &["--events", &events]);
    let event = json!({"user": "zoe", "item": "tea", "weight": 4.0});
    assert_eq!(service.post("/events", &event), accepted(1, 0, 0));
    drop(service);
    let (is_done, text) = bspm(&[
        "refit", &model, &more, "--events", &events, "--output", &model,
    ]);
    assert!(is_done && text.contains("new users: 2"), "{text}");
    // The model keeps the scale.
    let linear = [
        "--weight-column",
        "n",
        "--weight",
        "linear",
        "--output",
        &model,
    ];
    let (is_done, text) = bspm(&[&["refit", &model, &data], &linear[..]].concat());
    assert!(
        !is_done && text.contains("--weight: expected log"),
        "{text}"
    );
}
