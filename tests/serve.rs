//! Runs the examples of an application and of a service.

mod program;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use bspm::{BspmConfig, CpuBackend, Dataset, Fallback, Model, RecommendOptions};
use program::{error_text, example, run};
use serde_json::{Value, json};

/// A server process, which is killed at the end of the test.
struct Service {
    process: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start(model: &std::path::Path) -> Self {
        let mut process = example("serve")
            .arg(model)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self { process, address }
    }

    /// The status and the body of a response.
    fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = agent.get(format!("{}{path}", self.address)).call().unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), body)
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

#[test]
fn a_service_answers_with_the_lists_of_the_model() {
    let dataset: Dataset = Dataset::from_pairs(
        [
            ("ann", "tea"),
            ("ann", "milk"),
            ("bob", "milk"),
            ("bob", "rice & beans"),
            ("cid ü", "tea"),
        ]
        .map(|(user, item)| (user.into(), item.into())),
    )
    .unwrap();
    let config = BspmConfig::builder().build().unwrap();
    let model = Model::fit(CpuBackend::new(), dataset, config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.bspm");
    model.save(&path).unwrap();
    let service = Service::start(&path);

    let list = |list: bspm::Result<Vec<bspm::Recommendation>>| -> Value {
        let text = serde_json::to_string(&list.unwrap()).unwrap();
        let items: Value = serde_json::from_str(&text).unwrap();
        json!({ "items": items, "unknown_items": [], "model": "shop" })
    };
    let answered = |path: &str| {
        let mut answer = service.json(path);
        let id = answer.as_object_mut().unwrap().remove("answer");
        assert!(id.is_some_and(|id| id.is_string()), "{path}");
        answer
    };
    assert_eq!(
        answered("/recommend?user=ann&k=1"),
        list(model.recommend("ann", 1))
    );
    assert_eq!(
        answered("/recommend?user=cid%20%C3%BC"),
        list(model.recommend(
            "cid ü",
            RecommendOptions::top(10).fallback(Fallback::Popularity)
        ))
    );
    assert_eq!(
        answered("/similar?item=rice+%26+beans&k=2"),
        list(model.similar_items("rice & beans", 2))
    );

    for (path, status, expected) in [
        ("/recommend?user=nobody", 404, "user \"nobody\" is unknown"),
        ("/similar?item=x", 404, "item \"x\" is unknown"),
        (
            "/recommend?user=ann&k=0",
            400,
            "k: expected a number from 1 to 10000, found 0",
        ),
    ] {
        let (found, body) = service.get(path);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (found, &body),
            (status, &json!({ "error": expected })),
            "{path}"
        );
    }
    for (path, status) in [
        ("/recommend", 400),
        ("/recommend?user=ann&k=many", 400),
        ("/elsewhere", 404),
    ] {
        assert_eq!(service.get(path).0, status, "{path}");
    }

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    // Requests that arrive together are scored as a tile, which rounds differently.
                    let found = service.json("/recommend?user=ann&k=1");
                    let expected = list(model.recommend("ann", 1));
                    assert_eq!(found["items"][0]["item"], expected["items"][0]["item"]);
                }
            });
        }
    });
}

#[test]
fn a_service_without_a_model_says_why_it_does_not_start() {
    let error = error_text(&run(&mut example("serve"), ["/nowhere.bspm"]));
    assert!(error.contains("/nowhere.bspm"), "{error}");
}

#[test]
fn embedding_explains_what_it_recommends() {
    let output = run(&mut example("embed"), [] as [&str; 0]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("ann may like grinder"), "{text}");
    assert!(
        lines[2].starts_with("a new user with tea and lemon may like honey"),
        "{text}"
    );
    let number = |line: &str| -> f64 {
        line.split([' ', ','])
            .find_map(|word| word.parse().ok())
            .unwrap()
    };
    let parts: f64 = lines[5..].iter().map(|line| number(line.trim())).sum();
    assert!((number(lines[4]) - parts).abs() < 0.002, "{text}");
}
