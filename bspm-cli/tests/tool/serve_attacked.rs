//! `bspm serve` with hostile, slow and expensive clients, and without a reader of its log.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bspm::{BspmConfig, CpuBackend, CpuModel, Dataset};
use serde_json::{Value, json};

use crate::service::{Service, agent, becomes, connection, save};

fn serve(model: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    command.arg("serve").arg(model);
    command.args(["--address", "127.0.0.1:0"]).args(arguments);
    command
}

/// The response to a raw request: status and headers, and the body.
fn raw(address: &str, request: &str) -> (String, String) {
    let mut stream = connection(address, request);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
}

#[test]
fn a_log_that_cannot_be_written_stops_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let logging = |stderr: Stdio| {
        let mut command = serve(&path, &[]);
        Service::of(command.env("BSPM_LOG", "info").stderr(stderr))
    };
    let full = logging(
        File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into(),
    );
    let mut gone = logging(Stdio::piped());
    drop(gone.process.stderr.take());
    // More lines than the buffer of a pipe, and nobody reads them.
    let stuck = logging(Stdio::piped());
    for service in [full, gone, stuck] {
        for turn in 0..1_200 {
            service.json(&format!("/recommend?user=u{}&k=1", turn % 120));
        }
        service.json("/healthz");
        assert!(
            service
                .get("/metrics")
                .1
                .contains("bspm_log_lines_dropped_total")
        );
    }
}

/// A client that sends requests until the server accepts no more or closes the connection, and reads no
/// response.
fn deaf(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let wait = Duration::from_millis(300);
    stream.set_write_timeout(Some(wait)).unwrap();
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    while stream.write_all(requests.as_bytes()).is_ok() {}
    stream
}

#[test]
fn clients_that_do_not_read_lock_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    // The first of them is closed for a new connection.
    let service = Service::start(&path, &["--connections", "3", "--timeout", "86400"]);
    let clients: Vec<TcpStream> = (0..3).map(|_| deaf(&service.address)).collect();
    service.json("/recommend?user=u1");
    drop(clients);
    // All of them are closed, although the limit is not reached.
    let service = Service::start(&path, &["--timeout", "1"]);
    let _clients: Vec<TcpStream> = (0..3).map(|_| deaf(&service.address)).collect();
    becomes(&service, "/metrics", |text| {
        text.contains("bspm_connections 1\n")
    });
}

#[test]
fn explanations_are_bounded_and_leave_room_for_lists() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--workers", "2", "--queue", "1"]);
    let long: Vec<String> = (0..10_001)
        .map(|place| format!("i{}", place % 60))
        .collect();
    for (path, name) in [
        ("/explain", "history"),
        ("/recommend", "history"),
        ("/recommend", "deny"),
        ("/recommend", "allow"),
        ("/score", "items"),
    ] {
        let mut body = json!({ name: long });
        match path {
            "/explain" => body["item"] = "i1".into(),
            _ if name == "history" => {}
            _ => body["user"] = "u1".into(),
        }
        let (status, answer) = service.post(path, &body);
        let message = answer["error"].as_str().unwrap();
        let expected = format!("{name}: expected at most 10000 entries");
        assert!(status == 400 && message.contains(&expected), "{message}");
    }
    // Explanations fill their own queue, and never the queue of the lists.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let body = json!({"history": long[..9_000], "item": "i5"});
                    let (status, answer) = service.post("/explain", &body);
                    assert!(status == 200 || status == 503, "{answer}");
                }
            });
        }
        scope.spawn(|| {
            for turn in 0..200 {
                service.json(&format!("/recommend?user=u{}", turn % 120));
            }
        });
    });
}

#[test]
fn a_file_that_comes_back_ends_the_warning() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let away = folder.path().join("away");
    let service = Service::start(&path, &[]);
    fs::rename(&path, &away).unwrap();
    service.signal("-HUP");
    becomes(&service, "/healthz", |text| {
        text.contains("\"is_stale\":true")
    });
    fs::rename(&away, &path).unwrap();
    becomes(&service, "/healthz", |text| {
        text.contains("\"is_stale\":false")
    });
    let metrics = service.get("/metrics").1;
    assert!(
        metrics.contains("bspm_model_stale{model=\"shop\"} 0"),
        "{metrics}"
    );
}

#[test]
fn a_refused_reload_is_reported_and_a_pipe_ends_no_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let (next, _) = save(folder.path(), "next.bspm", 5);
    let hash = |path: &Path| bspm::saved::file_hash(path).unwrap();
    let (old, new) = (hash(&path), hash(&next));
    let put = |name: &str| fs::rename(folder.path().join(name), &path).unwrap();
    for arguments in [&[][..], &["--copy"]] {
        save(folder.path(), "shop.bspm", 0);
        save(folder.path(), "next.bspm", 5);
        let mut service = Service::of(serve(&path, arguments).stderr(Stdio::piped()));
        let model = service.json("/healthz")["model"].clone();
        assert_eq!(
            (&model["hash"], &model["is_stale"]),
            (&json!(old), &json!(false))
        );
        let mut log = BufReader::new(service.process.stderr.take().unwrap());
        let mut refused = |count: u64| {
            let is_refused = |text: &str| {
                let health: Value = serde_json::from_str(text).unwrap();
                health["model"]["failed_reloads"] == json!(count)
            };
            let health = becomes(&service, "/healthz", is_refused);
            let health: Value = serde_json::from_str(&health).unwrap();
            assert_eq!(health["model"]["is_stale"], json!(true));
            assert_eq!(health["model"]["hash"], json!(old));
            let mut line = String::new();
            log.read_line(&mut line).unwrap();
            assert!(
                line.contains("WARN") && line.contains("the model was not replaced"),
                "{line}"
            );
            line
        };
        fs::write(folder.path().join("broken"), "no model, but long enough").unwrap();
        put("broken");
        refused(1);
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        put("pipe");
        assert!(refused(2).contains("expected a regular file"));
        service.signal("-HUP");
        refused(3);
        put("next.bspm");
        becomes(&service, "/healthz", |text| text.contains(&new));
        let metrics = service.get("/metrics").1;
        for line in [
            "bspm_reloads_total{model=\"shop\"} 1\n",
            "bspm_failed_reloads_total{model=\"shop\"} 3\n",
        ] {
            assert!(metrics.contains(line), "{metrics}");
        }
    }
}

#[test]
fn unfinished_bodies_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &["--timeout", "600"]);
    const LENGTH: usize = 1 << 20;
    let head = format!(
        "POST /recommend HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {LENGTH}\r\n\r\n{{\"user\": \"u1\""
    );
    let filling = " ".repeat(LENGTH - "{\"user\": \"u1\"}".len());
    const CLIENTS: usize = 300;
    // Of a body 64 KiB are its own.
    const MOST: usize = (64 << 20) / (LENGTH - (64 << 10)) + 1;
    let clients = (0..CLIENTS).map(|_| {
        let mut stream = connection(&service.address, &head);
        // A client that is refused may find its connection closed.
        let _ = stream.write_all(filling.as_bytes());
        stream.set_nonblocking(true).unwrap();
        stream
    });
    let clients: Vec<TcpStream> = clients.collect();
    let waits = |client: &&TcpStream| {
        let refused = client.peek(&mut [0]);
        refused.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    let deadline = Instant::now() + Duration::from_secs(40);
    while clients.iter().filter(waits).count() > MOST {
        assert!(Instant::now() < deadline, "bodies are not bounded");
        std::thread::sleep(Duration::from_millis(20));
    }
    // They do not block smaller requests.
    let (status, _) = service.post("/recommend", &json!({"user": "u1"}));
    assert_eq!(status, 200);
    // Requests that were not rejected get a response when they are complete.
    let mut held = clients.iter().find(waits).unwrap();
    held.set_nonblocking(false).unwrap();
    held.write_all(b"}").unwrap();
    let mut status = [0; 12];
    held.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[test]
fn a_client_that_has_said_everything_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let mut stream = connection(&service.address, &get("/recommend?user=u1", ""));
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn what_a_request_lacks_has_its_own_status() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let post = |path: &str, headers: &str, body: &str| {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        let request = format!("{head}content-length: {length}\r\n{headers}\r\n{body}");
        raw(&service.address, &request)
    };
    let json_type = "content-type: application/json\r\n";
    let large = format!("{{\"user\": \"u1\"{}}}", " ".repeat(1 << 20));
    // In chunks, without a content length.
    let pieces = format!(
        "POST /recommend HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{json_type}\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let declared = format!(
        "POST /recommend HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{json_type}\
         content-length: 1048577\r\n\r\n"
    );
    for ((head, body), status, header, expected) in [
        (
            raw(&service.address, &declared),
            413,
            "",
            "expected at most 1048576 bytes",
        ),
        (
            raw(&service.address, &pieces),
            413,
            "",
            "expected at most 1048576 bytes",
        ),
        (
            post("/recommend", "", "{}"),
            415,
            "",
            "content-type: application/json",
        ),
        (
            post("/recommend", "content-type: text/plain\r\n", "{}"),
            415,
            "",
            "application/json",
        ),
        (post("/recommend", json_type, "{"), 400, "", "invalid JSON"),
        (
            post("/similar", json_type, "{}"),
            405,
            "allow: get,head",
            "method not allowed",
        ),
        (
            post("/elsewhere", json_type, "{}"),
            404,
            "",
            "path not found",
        ),
    ] {
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
        assert!(
            head.contains("content-type: application/json") && head.contains(header),
            "{head}"
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"].as_str().unwrap().contains(expected), "{body}");
    }
}

#[test]
fn browsers_are_told_to_trust_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    for path in [
        "/",
        "/page.js",
        "/recommend?user=u1",
        "/elsewhere",
        "/recommend?user=nobody",
    ] {
        let (head, _) = raw(&service.address, &get(path, ""));
        for header in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; script-src 'self';",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{path}: {head}");
        }
    }
    // A page of another site, whose host name resolves to this server (DNS rebinding).
    let rebound =
        "GET /recommend?user=u1 HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    let (head, body) = raw(&service.address, rebound);
    assert!(head.starts_with("http/1.1 403 "), "{head}");
    assert!(body.contains("--host"), "{body}");
    let service = Service::start(&path, &["--host", "evil.example"]);
    assert!(
        raw(&service.address, rebound)
            .0
            .starts_with("http/1.1 200 ")
    );
}

#[test]
fn a_key_opens_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let keys = folder.path().join("keys");
    fs::write(
        &keys,
        "# of the shop\n0123456789abcdef\n\nfedcba9876543210\n",
    )
    .unwrap();
    let service = Service::start(&path, &["--keys", keys.to_str().unwrap()]);
    for (path, headers, status) in [
        ("/recommend?user=u1", "", 401),
        (
            "/recommend?user=u1",
            "authorization: Bearer 0123456789abcdeF\r\n",
            401,
        ),
        (
            "/recommend?user=u1",
            "authorization: Bearer 0123456789abcdef\r\n",
            200,
        ),
        (
            "/metrics",
            "authorization: Bearer fedcba9876543210\r\n",
            200,
        ),
        ("/metrics", "", 401),
        ("/healthz", "", 200),
        ("/", "", 200),
    ] {
        let (head, _) = raw(&service.address, &get(path, headers));
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{path}: {head}"
        );
        assert_eq!(
            head.contains("www-authenticate: bearer"),
            status == 401,
            "{head}"
        );
    }
    for (text, expected) in [
        ("short\n", "keys:1: expected a key"),
        ("# none\n", "at least one API key"),
    ] {
        fs::write(&keys, text).unwrap();
        let output = serve(&path, &["--keys", keys.to_str().unwrap()])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains(expected),
            "{error}"
        );
    }
    // Without keys, a server that is reachable from other machines prints a warning.
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    command
        .arg("serve")
        .arg(&path)
        .args(["--address", "0.0.0.0:0"]);
    let mut service = Service::of(command.stderr(Stdio::piped()));
    let mut line = String::new();
    let mut log = BufReader::new(service.process.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    assert!(line.contains("WARN") && line.contains("--keys"), "{line}");
}

#[test]
fn an_id_with_a_comma_can_be_named_in_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = (0..30).flat_map(|user| {
        (0..4).map(move |step| {
            (
                format!("u{user}"),
                format!("i,{}", (user + step * step) % 12),
            )
        })
    });
    let config = BspmConfig::builder().build().unwrap();
    let dataset = Dataset::from_pairs(pairs).unwrap();
    let model = CpuModel::fit(CpuBackend::new(), dataset, config).unwrap();
    let path = folder.path().join("shop.bspm");
    model.save(&path).unwrap();
    let service = Service::start(&path, &[]);
    let first = service.json("/recommend?user=u1&k=1")["items"][0]["item"].clone();
    let denied = format!("%22{}%22", first.as_str().unwrap());
    let answer = service.json(&format!("/recommend?user=u1&k=12&deny={denied}"));
    assert_eq!(answer["unknown_items"], json!([]));
    assert!(
        answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["item"] != first)
    );
    let scores = service.json("/score?user=u1&items=%22i,1%22,%22i,2%22");
    assert_eq!(scores["scores"].as_array().unwrap().len(), 2);
}

#[test]
fn the_first_list_is_prepared_when_the_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let mut command = serve(&path, &[]);
    let mut service = Service::of(command.env("BSPM_LOG", "info").stderr(Stdio::piped()));
    // There was no request yet.
    let log = BufReader::new(service.process.stderr.take().unwrap());
    let mut lines = log.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("rank{users=1")));
    let agent = agent();
    let address = format!("http://{}/recommend?user=u1", service.address);
    assert_eq!(agent.get(address).call().unwrap().status(), 200);
}

#[test]
fn signals_are_caught_before_the_model_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    for _ in 0..5 {
        let mut service = Service::start(&path, &[]);
        service.signal("-HUP");
        becomes(&service, "/healthz", |text| text.contains("\"reloads\":1"));
        service.signal("-TERM");
        assert!(service.process.wait().unwrap().success());
        let mut service = Service::start(&path, &[]);
        service.signal("-TERM");
        assert!(service.process.wait().unwrap().success());
    }
}

#[test]
fn messages_do_not_repeat_long_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let long = "\u{7f}".repeat(1_000_000);
    for (path, body) in [
        ("/recommend", json!({ "user": long })),
        ("/explain", json!({"user": "u1", "item": long})),
        ("/score", json!({"user": "u1", "items": [long]})),
    ] {
        let (status, answer) = service.post(path, &body);
        let message = answer["error"].as_str().unwrap();
        assert!(
            status == 404 && message.len() < 2_000,
            "{status}: {}",
            message.len()
        );
    }
}

#[test]
fn weights_that_add_up_to_infinity_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = save(folder.path(), "shop.bspm", 0);
    let service = Service::start(&path, &[]);
    let twice = json!([{"item": "i1", "weight": 3e38}, {"item": "i1", "weight": 3e38}]);
    for (path, body) in [
        ("/recommend", json!({ "history": twice })),
        ("/explain", json!({"history": twice, "item": "i2"})),
    ] {
        let (status, answer) = service.post(path, &body);
        assert_eq!(status, 400, "{path}: {answer}");
    }
}
