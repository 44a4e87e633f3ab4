//! The OpenAPI description of `bspm serve` names what the server accepts.

#![cfg(unix)]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::service::{Service, agent, save};

/// The names in backquotes after "expected".
fn accepted(error: &str) -> BTreeSet<String> {
    let (_, names) = error.split_once("expected ").unwrap();
    let names = names.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

fn names(fields: &Value) -> BTreeSet<String> {
    fields.as_object().unwrap().keys().cloned().collect()
}

fn error(answer: (u16, Value)) -> String {
    let (status, body) = answer;
    assert_eq!(status, 400, "{body}");
    body["error"].as_str().unwrap().to_owned()
}

#[test]
fn parameters_and_fields_are_those_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let events = folder.path().join("events");
    let service = Service::start(&path, &["--events", &events.to_string_lossy()]);
    let description = service.json("/openapi.json");
    let unknown = json!({"colour": "red"});
    for (path, operations) in description["paths"].as_object().unwrap() {
        if let Some(parameters) = operations["get"]["parameters"].as_array() {
            let (status, body) = service.get(&format!("{path}?colour=red"));
            let found = error((status, serde_json::from_str(&body).unwrap()));
            let declared = parameters.iter().map(|it| it["name"].as_str().unwrap());
            let declared: BTreeSet<String> = declared.map(str::to_owned).collect();
            assert_eq!(accepted(&found), declared, "GET {path}");
        }
        let schema = &operations["post"]["requestBody"]["content"]["application/json"]["schema"];
        if schema["properties"].is_object() {
            let found = error(service.post(path, &unknown));
            assert_eq!(accepted(&found), names(&schema["properties"]), "{path}");
            assert_eq!(schema["additionalProperties"], json!(false), "{path}");
        }
    }
    let event = &description["components"]["schemas"]["Event"];
    let found = error(service.post("/events", &json!({"events": [unknown]})));
    assert_eq!(accepted(&found), names(&event["properties"]));
    assert_eq!(event["additionalProperties"], json!(false));
}

#[test]
fn responses_are_described() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let description = service.json("/openapi.json");
    for (path, query) in [
        ("/recommend", "user=u1"),
        ("/similar", "item=i1"),
        ("/explain", "user=u1&item=i1"),
        ("/score", "user=u1&items=i1"),
        ("/items", ""),
        ("/users", ""),
        ("/history", "user=u1"),
        ("/model", ""),
        ("/healthz", ""),
    ] {
        let responses = &description["paths"][path]["get"]["responses"];
        let name = responses["200"]["$ref"].as_str().unwrap();
        let response = description.pointer(&name[1..]).unwrap();
        let mut schema = &response["content"]["application/json"]["schema"];
        if let Some(name) = schema["$ref"].as_str() {
            schema = description.pointer(&name[1..]).unwrap();
        }
        let address = format!("http://{}{path}?{query}", service.address);
        let mut found = agent().get(&address).call().unwrap();
        let has_model = found.headers().contains_key("bspm-model");
        assert_eq!(has_model, response["headers"]["Bspm-Model"].is_object());
        let body: Value = found.body_mut().read_json().unwrap();
        let declared = names(&schema["properties"]);
        assert!(names(&body).is_subset(&declared), "{path}: {body}");
        if path != "/healthz" {
            let (status, _) = service.get(&format!("{path}?{query}&model=other"));
            assert_eq!(status, 404, "{path}");
            assert!(responses["404"].is_object(), "{path}");
        }
    }
}
