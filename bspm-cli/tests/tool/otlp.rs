//! `bspm serve --otlp`: spans of requests for an OpenTelemetry collector.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::service::{Service, agent, save};

/// A collector on a free port, which returns the requests that it receives: the path and the body.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
            }
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.parse().unwrap())
            });
            let mut body = vec![0; length.unwrap()];
            reader.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            if send.send((path, body)).is_err() {
                return;
            }
        }
    });
    (address, received)
}

fn start(folder: &std::path::Path, endpoint: &str) -> Service {
    let (model, _) = save(folder, "shop", 0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    Service::of(
        command
            .arg("serve")
            .arg(model)
            .args(["--address", "127.0.0.1:0", "--otlp"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env_remove("OTEL_SERVICE_NAME")
            .stderr(Stdio::piped()),
    )
}

#[test]
fn a_request_is_a_span_of_its_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, received) = collector();
    let mut service = start(folder.path(), &endpoint);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = "00f067aa0ba902b7";
    let answer = agent()
        .get(format!("http://{}/recommend?user=u1", service.address))
        .header("traceparent", format!("00-{trace}-{parent}-01"))
        .header("x-request-id", "order-17")
        .call()
        .unwrap();
    assert_eq!(answer.status(), 200);
    let odd = format!(
        "{} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "X".repeat(5_000)
    );
    let mut stream = TcpStream::connect(&service.address).unwrap();
    stream.write_all(odd.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    // The spans that wait are exported when the server ends.
    service.signal("-TERM");
    assert!(service.process.wait().unwrap().success());
    let (path, body) = received.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(path, "/v1/traces");
    let bytes = |hex: &str| {
        let digits = hex.as_bytes().chunks(2);
        let byte = |it: &[u8]| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 16).unwrap();
        digits.map(byte).collect::<Vec<u8>>()
    };
    for part in [
        bytes(trace),
        bytes(parent),
        b"service.name\x12\x06\n\x04bspm".to_vec(),
        b"GET /recommend".to_vec(),
        b"order-17".to_vec(),
        b"_OTHER".to_vec(),
    ] {
        let found = body.windows(part.len()).any(|window| window == part);
        assert!(found, "{} in {}", part.escape_ascii(), body.escape_ascii());
    }
    assert!(!body.windows(100).any(|window| window == [b'X'; 100]));
}

#[test]
fn a_collector_that_does_not_answer_is_reported_and_stops_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut service = start(folder.path(), &endpoint);
    assert_eq!(service.get("/recommend?user=u1").0, 200);
    service.signal("-TERM");
    assert!(service.process.wait().unwrap().success());
    let mut log = String::new();
    let mut errors = service.process.stderr.take().unwrap();
    errors.read_to_string(&mut log).unwrap();
    assert!(
        log.contains("opentelemetry") && log.contains("ERROR"),
        "{log}"
    );
}

#[test]
fn a_collector_with_tls_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (model, _) = save(folder.path(), "shop", 0);
    let output = Command::new(env!("CARGO_BIN_EXE_bspm"))
        .arg("serve")
        .arg(model)
        .arg("--otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        errors.contains("expected an endpoint without TLS"),
        "{errors}"
    );
}
