//! `bspm mcp` and `bspm serve --mcp`: conversations of the Model Context Protocol.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::service::{Service, agent, as_json, save};

/// A client of `bspm mcp`.
struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Client {
    /// Starts the program and initializes the protocol.
    fn start(model: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bspm"))
            .arg("mcp")
            .arg(model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut client = Self {
            input: process.stdin.take(),
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            next: 0,
        };
        let result = client.ask("initialize", initialize())["result"].clone();
        assert_eq!(result["protocolVersion"], "2025-06-18");
        assert_eq!(result["serverInfo"]["name"], "bspm");
        assert!(result["capabilities"]["tools"].is_object(), "{result}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Sends a request and returns its response.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let response: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(response["id"], id, "{response}");
        response
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }
}

fn initialize() -> Value {
    json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    })
}

/// The structured content of a successful call, which its text repeats. A list is without its model and the
/// id of its answer.
fn content(response: &Value) -> Value {
    let result = &response["result"];
    assert_eq!(result["isError"], false, "{response}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        result["structuredContent"]
    );
    let mut content = result["structuredContent"].clone();
    if let Some(fields) = content.as_object_mut() {
        fields.remove("model");
        fields.remove("answer");
    }
    content
}

/// The text of a call that failed.
fn refusal(response: &Value) -> String {
    let result = &response["result"];
    assert_eq!(result["isError"], true, "{response}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn an_assistant_reads_the_tools_and_calls_them() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let mut client = Client::start(&path);

    let tools = client.ask("tools/list", json!({}))["result"]["tools"].clone();
    let names: Vec<&str> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["recommend", "similar", "explain", "search", "describe"]
    );
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["item"]));

    let listed =
        |list: Vec<bspm::Recommendation>| json!({"items": as_json(list), "unknown_items": []});
    let found = content(&client.call("recommend", json!({"user": "u3", "k": 4})));
    assert_eq!(found, listed(model.recommend("u3", 4).unwrap()));
    let found = content(&client.call("recommend", json!({"history": ["i4", "i5"], "k": 3})));
    assert_eq!(
        found,
        listed(model.recommend_for_items(["i4", "i5"], 3).unwrap())
    );
    let found = content(&client.call("similar", json!({"item": "i7", "k": 3})));
    assert_eq!(found, listed(model.similar_items("i7", 3).unwrap()));
    let found = content(&client.call("explain", json!({"user": "u3", "item": "i7"})));
    let explanation = as_json(model.explain("u3", "i7").unwrap());
    assert_eq!(found["contributions"], explanation["contributions"]);
    let found = content(&client.call("search", json!({"search": "i59"})));
    assert_eq!(found["items"][0]["item"], "i59");
    let found = content(&client.call("describe", json!({})));
    assert_eq!(
        (&found["filter"], &found["users"]),
        (&json!("bspm"), &json!(120))
    );

    // Errors of a request are results, which the assistant can read and correct.
    for (tool, arguments, expected) in [
        (
            "recommend",
            json!({"user": "u3", "k": "many"}),
            "expected a whole number",
        ),
        (
            "recommend",
            json!({"user": "u3", "k": 0}),
            "k: expected a number from 1",
        ),
        ("recommend", json!({"user": "zoe"}), "zoe"),
        (
            "recommend",
            json!({}),
            "expected either a user or a history",
        ),
        (
            "recommend",
            json!({"user": "u3", "colour": 1}),
            "unknown field `colour`",
        ),
        (
            "recommend",
            json!({"user": "u3", "where": "price < 3"}),
            "with an item table",
        ),
        ("similar", json!({}), "missing field `item`"),
        ("similar", json!({"item": 7}), "\"7\""),
        ("explain", json!({"user": "u3", "item": "none"}), "none"),
    ] {
        let refused = refusal(&client.call(tool, arguments));
        assert!(refused.contains(expected), "{tool}: {refused}");
    }
    let unknown = client.call("buy", json!({}));
    assert_eq!(unknown["error"]["code"], -32602);
    assert_eq!(unknown["error"]["message"], "unknown tool: buy");
    assert_eq!(
        client.ask("resources/read", json!({"uri": "x"}))["error"]["code"],
        -32601
    );

    // The program ends with its input.
    drop(client.input.take());
    assert!(client.process.wait().unwrap().success());
}

#[test]
fn a_model_that_cannot_be_opened_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_bspm"))
        .args(["mcp", "no-such-model.bspm"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(said.contains("no-such-model.bspm"), "{said}");
}

/// Sends a message to `/mcp`, and returns the status and the body.
fn post(service: &Service, message: &Value, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = agent()
        .post(format!("http://{}/mcp", service.address))
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send_json(message).unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&body).unwrap_or(Value::String(body)),
    )
}

#[test]
fn the_server_offers_the_tools_behind_its_keys_and_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = save(folder.path(), "shop.bspm", 0);
    let keys = folder.path().join("keys.txt");
    std::fs::write(&keys, "a-key-of-the-assistant\n").unwrap();
    let service = Service::start(&path, &["--mcp", "--keys", keys.to_str().unwrap()]);
    let key = ("authorization", "Bearer a-key-of-the-assistant");

    let ask = |method: &str, params: Value| {
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let (status, response) = post(&service, &message, &[key]);
        assert_eq!((status, &response["id"]), (200, &json!(7)), "{response}");
        response
    };
    let result = ask("initialize", initialize())["result"].clone();
    assert_eq!(result["serverInfo"]["name"], "bspm");
    assert_eq!(
        ask("tools/list", json!({}))["result"]["tools"][0]["name"],
        "recommend"
    );
    let call = json!({"name": "recommend", "arguments": {"user": "u3", "k": 4}});
    let found = content(&ask("tools/call", call.clone()));
    assert_eq!(found["items"], as_json(model.recommend("u3", 4).unwrap()));
    let wrong = json!({"name": "recommend", "arguments": {"user": "u3", "k": "many"}});
    assert!(refusal(&ask("tools/call", wrong)).contains("expected a whole number"));

    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call});
    for (headers, expected) in [
        (&[][..], 401),
        (
            &[("authorization", "Bearer another-key-of-nobody")][..],
            401,
        ),
        (&[key, ("host", "evil.example")][..], 403),
        (&[key, ("origin", "https://evil.example")][..], 403),
    ] {
        let (status, body) = post(&service, &message, headers);
        assert_eq!(status, expected, "{headers:?}: {body}");
        assert!(!body.to_string().contains("score"), "{body}");
    }
    let metrics = agent()
        .get(format!("http://{}/metrics", service.address))
        .header(key.0, key.1)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(
        metrics.contains("bspm_requests_total{path=\"/mcp\",status=\"200\"} 4"),
        "{metrics}"
    );

    let without = Service::start(&path, &[]);
    assert_eq!(post(&without, &message, &[]).0, 404);
}
