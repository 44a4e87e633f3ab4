//! A running `bspm serve`, and a model for it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bspm::{BspmConfig, CpuBackend, CpuModel, Dataset};
use serde_json::Value;

/// A server process, which is killed at the end of the test.
pub(crate) struct Service {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    pub(crate) fn start(model: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
        Self::of(
            command
                .arg("serve")
                .arg(model)
                .args(["--address", "127.0.0.1:0"])
                .args(arguments),
        )
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap()
            .to_owned();
        Self { process, address }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut response = agent()
            .get(format!("http://{}{path}", self.address))
            .call()
            .unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), body)
    }

    /// A response. A list is without its model and the id of its answer, which differs each time.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        without_ids(path, serde_json::from_str(&body).unwrap())
    }

    /// Like `json`, for a request with a body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, answer) = self.post_with_ids(path, body);
        match status {
            200 => (status, without_ids(path, answer)),
            _ => (status, answer),
        }
    }

    pub(crate) fn post_with_ids(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = agent().post(format!("http://{}{path}", self.address));
        let mut response = request.send_json(body).unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_json().unwrap(),
        )
    }
}

/// Repeats a request until the response is as expected; fails the test if it never is.
pub(crate) fn becomes(service: &Service, path: &str, is_expected: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let (_, answer) = service.get(path);
        if is_expected(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{path} stays {answer}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the program. Returns whether it succeeded, and its text on standard error.
pub(crate) fn bspm(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bspm"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

fn without_ids(path: &str, mut answer: Value) -> Value {
    if path.starts_with("/recommend") || path.starts_with("/similar") {
        let fields = answer.as_object_mut().unwrap();
        for name in ["model", "answer"] {
            let id = fields.remove(name);
            assert!(id.is_some_and(|id| id.is_string()), "{name}");
        }
    }
    answer
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

pub(crate) fn dataset(users: u32, shift: u32) -> Dataset {
    let pairs = (0..users).flat_map(move |user| {
        (0..8).map(move |step| {
            (
                format!("u{user}"),
                format!("i{}", (user * 7 + step * step + shift) % 60),
            )
        })
    });
    Dataset::from_pairs(pairs).unwrap()
}

pub(crate) fn save(folder: &Path, name: &str, shift: u32) -> (PathBuf, CpuModel) {
    let config = BspmConfig::builder()
        .ideal_low_pass(8, 0.2)
        .build()
        .unwrap();
    let model = CpuModel::fit(CpuBackend::new(), dataset(120, shift), config).unwrap();
    let path = folder.join(name);
    model.save(&path).unwrap();
    (path, model)
}

/// The value after it is written to JSON and read again.
pub(crate) fn as_json(value: impl serde::Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap()
}

/// A connection after some bytes are sent.
pub(crate) fn connection(address: &str, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}
