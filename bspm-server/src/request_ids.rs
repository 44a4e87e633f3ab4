//! The ids of a request and its answer, for logs.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};

/// The header with the id of a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the ids of a trace (W3C Trace Context).
pub(super) const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The maximum length of the id of a request that a client sends.
const LONGEST: usize = 128;

/// Makes ids that differ between processes and requests.
#[derive(Debug)]
pub(super) struct AnswerIds {
    /// Random digits of this process.
    start: String,
    next: AtomicU64,
}

/// The ids of a request.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    /// The id of the answer.
    pub(super) answer: Arc<str>,
    /// The id that the client sent, or that of the answer.
    pub(super) request: Arc<str>,
    /// The id of the trace that the client sent.
    pub(super) trace: Option<String>,
}

impl Default for AnswerIds {
    fn default() -> Self {
        let random = RandomState::new().build_hasher().finish();
        Self {
            start: format!("{random:016x}"),
            next: AtomicU64::new(0),
        }
    }
}

impl AnswerIds {
    /// Returns the ids of a request without headers.
    pub(super) fn next(&self) -> Ids {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let answer: Arc<str> = format!("{}-{number:x}", self.start).into();
        Ids {
            request: answer.clone(),
            answer,
            trace: None,
        }
    }

    pub(super) fn of(&self, request: &Request) -> Ids {
        let ids = self.next();
        let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
        let is_id = |it: &&str| {
            (1..=LONGEST).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_graphic())
        };
        Ids {
            request: header(REQUEST_ID)
                .filter(is_id)
                .map_or(ids.request, Into::into),
            answer: ids.answer,
            trace: header(TRACE_PARENT).and_then(trace_id).map(str::to_owned),
        }
    }
}

impl Ids {
    /// The value of the header of the response.
    pub(super) fn header(&self) -> HeaderValue {
        let value = HeaderValue::from_str(&self.request);
        value.unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// Returns the trace id of a header `version-trace-parent-flags` in hexadecimal digits.
fn trace_id(header: &str) -> Option<&str> {
    let parts: Vec<&str> = header.split('-').collect();
    let [version, trace, parent, flags, ..] = parts[..] else {
        return None;
    };
    let is_hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.len() == 4)
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && trace.bytes().any(|it| it != b'0')
        && parent.bytes().any(|it| it != b'0');
    is_valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(name: &str, value: &str) -> Request {
        let builder = Request::builder().header(name, value);
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn an_id_of_the_client_is_kept_if_it_is_short_and_visible() {
        let ids = AnswerIds::default();
        let sent = ids.of(&request("x-request-id", "order-17"));
        assert_eq!(&*sent.request, "order-17");
        assert_eq!(sent.header(), "order-17");
        for odd in ["", "a b", &"x".repeat(129)] {
            let own = ids.of(&request("x-request-id", odd));
            assert_eq!(own.request, own.answer);
            assert_ne!(own.answer, sent.answer);
        }
    }

    #[test]
    fn only_valid_trace_headers_are_read() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let valid = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(&valid), Some(trace));
        assert_eq!(
            trace_id(&format!("01-{trace}-00f067aa0ba902b7-01-more")),
            Some(trace)
        );
        for odd in [
            format!("00-{trace}-00f067aa0ba902b7"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{trace}-{}-01", "0".repeat(16)),
        ] {
            assert_eq!(trace_id(&odd), None, "{odd}");
        }
    }
}
