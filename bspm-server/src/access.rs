//! Access control: the allowed hosts and the API keys.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header;

use super::ServerOptions;
use super::api_key::Limited;
use super::error::Failure;

/// The paths that require no key, because they contain no data of users and items.
const OPEN: [&str; 7] = [
    "/",
    "/page.js",
    "/page.css",
    "/healthz",
    "/health/live",
    "/health/ready",
    "/openapi.json",
];

/// The path that requires the right to write. All others require the right to read.
const WRITE: &str = "/events";

/// The hosts and the keys of a server.
#[derive(Debug)]
pub(super) struct Access {
    /// The allowed host names; `None` allows all.
    hosts: Option<Vec<String>>,
    /// The API keys; if there are none, no key is required.
    keys: Vec<Limited>,
}

impl Access {
    pub(super) fn of(options: &ServerOptions) -> Self {
        let is_checked =
            options.address.ip().to_canonical().is_loopback() || !options.hosts.is_empty();
        let names = options.hosts.iter().map(|name| normalized(name));
        Self {
            hosts: is_checked.then(|| names.collect()),
            keys: options.keys.iter().cloned().map(Limited::new).collect(),
        }
    }

    /// # Errors
    ///
    /// [`Failure::Host`], [`Failure::Key`], [`Failure::Right`], [`Failure::Limited`].
    pub(super) fn check(&self, request: &Request) -> Result<(), Failure> {
        self.check_host(request)?;
        if self.keys.is_empty() || OPEN.contains(&request.uri().path()) {
            return Ok(());
        }
        let header = request.headers().get(header::AUTHORIZATION);
        let key = header.and_then(|it| {
            let (scheme, key) = it.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        });
        let Some(key) = key else {
            return Err(Failure::Key);
        };
        // All keys are compared, so that the time does not depend on the place of the key.
        let found = self.keys.iter().filter(|it| it.is(key));
        let found = found.last().ok_or(Failure::Key)?;
        let (is_allowed, right) = match request.uri().path() {
            WRITE => (found.key().write, "write events"),
            _ => (found.key().read, "read"),
        };
        match is_allowed {
            false => Err(Failure::Right(right)),
            true if !found.take(Instant::now()) => Err(Failure::Limited),
            true => Ok(()),
        }
    }

    /// Checks the host, against DNS rebinding: a page of another site that resolves to this address
    /// sends the host of that site.
    fn check_host(&self, request: &Request) -> Result<(), Failure> {
        let Some(names) = &self.hosts else {
            return Ok(());
        };
        let header = request.headers().get(header::HOST);
        let host = match (header, request.uri().authority()) {
            (Some(host), _) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
            (None, Some(authority)) => authority.as_str().to_owned(),
            (None, None) => return Ok(()),
        };
        let name = normalized(&host);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if is_address || name == "localhost" || names.contains(&name) {
            return Ok(());
        }
        Err(Failure::Host(host))
    }
}

/// Returns a host in lower case, without its port.
fn normalized(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|it| it.is_ascii_digit()) => {
            name
        }
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Returns a warning if other machines can reach the server and no key is required.
pub(super) fn warning(options: &ServerOptions, address: SocketAddr) -> Option<String> {
    (options.keys.is_empty() && !address.ip().to_canonical().is_loopback()).then(|| {
        format!(
            "{address} can be reached from other machines without an API key, and anyone there can read \
             the history of every user; hint: require a key with --keys FILE"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn access(address: &str, hosts: &[&str], keys: &[&str]) -> Access {
        let owned = |texts: &[&str]| texts.iter().map(|&it| it.into()).collect();
        let mut options = ServerOptions::new(address.parse().unwrap());
        options.hosts = owned(hosts);
        options.keys = keys.iter().map(|key| key.parse().unwrap()).collect();
        Access::of(&options)
    }

    fn request(path: &str, name: &str, value: &str) -> Request {
        let builder = Request::builder().uri(path).header(name, value);
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_loopback_server_answers_to_its_own_names() {
        for (address, allowed, host, expected) in [
            ("127.0.0.1:80", &[][..], "localhost:8080", true),
            ("127.0.0.1:80", &[], "LOCALHOST", true),
            ("127.0.0.1:80", &[], "127.0.0.1:80", true),
            ("127.0.0.1:80", &[], "[::1]:80", true),
            ("[::1]:80", &[], "[::1]", true),
            ("[::ffff:127.0.0.1]:80", &[], "evil.example", false),
            ("127.0.0.1:80", &[], "evil.example", false),
            ("127.0.0.1:80", &[], "localhost.evil.example:80", false),
            ("127.0.0.1:80", &["Shop.example"], "shop.example.:443", true),
            ("127.0.0.1:80", &["shop.example"], "evil.example", false),
            ("0.0.0.0:80", &[], "any.example", true),
            ("0.0.0.0:80", &["shop.example"], "any.example", false),
        ] {
            let access = access(address, allowed, &[]);
            let found = access.check(&request("/score", "host", host));
            assert_eq!(found.is_ok(), expected, "{address} {host}");
        }
    }

    #[test]
    fn one_of_the_keys_opens_what_is_about_users() {
        let keys = ["the-first-key-of-two", "the-second-key-of-two"];
        let access = access("127.0.0.1:80", &[], &keys);
        for (header, expected) in [
            ("Bearer the-first-key-of-two", true),
            ("bearer the-second-key-of-two", true),
            ("Bearer the-second-key-of-tw", false),
            ("Bearer the-second-key-of-two2", false),
            ("Bearer ", false),
            ("Basic the-second-key-of-two", false),
            ("the-second-key-of-two", false),
        ] {
            let found = access.check(&request("/recommend", "authorization", header));
            assert_eq!(found.is_ok(), expected, "{header}");
        }
        for (path, expected) in [("/healthz", true), ("/", true), ("/metrics", false)] {
            let found = access.check(&request(path, "x-other", "1"));
            assert_eq!(found.is_ok(), expected, "{path}");
        }
    }

    #[test]
    fn a_key_has_only_its_rights_and_its_requests() {
        let keys = ["the-key-that-reads read 2/s", "the-key-that-writes write"];
        let access = access("127.0.0.1:80", &[], &keys);
        let check = |path: &str, key: &str| {
            let header = format!("Bearer {key}");
            access.check(&request(path, "authorization", &header))
        };
        check("/events", "the-key-that-writes").unwrap();
        let refused = check("/recommend", "the-key-that-writes");
        assert!(matches!(refused, Err(Failure::Right("read"))));
        let refused = check("/events", "the-key-that-reads");
        assert!(matches!(refused, Err(Failure::Right("write events"))));
        let answers = (0..3).map(|_| check("/recommend", "the-key-that-reads"));
        let limited = answers
            .filter(|it| matches!(it, Err(Failure::Limited)))
            .count();
        assert_eq!(limited, 1);
    }
}
