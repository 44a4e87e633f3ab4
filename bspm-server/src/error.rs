//! Errors of the server and of requests.

use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error when a server starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The model cannot be opened.
    #[error(transparent)]
    Model(#[from] bspm::Error),
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The options of the models contradict each other.
    #[error("{0}")]
    Models(String),
    /// The event log cannot be opened.
    #[error(transparent)]
    Events(#[from] bspm_events::EventError),
    /// The exporter of spans cannot be started.
    #[cfg(feature = "otlp")]
    #[error("cannot export spans")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The endpoint of the collector has TLS.
    #[cfg(feature = "otlp")]
    #[error(
        "{name}: expected an endpoint without TLS, such as http://localhost:4318, found {value}; hint: run a collector on this machine that forwards the spans"
    )]
    OtlpWithTls {
        /// The environment variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// Threads cannot be started.
    #[error("cannot start the server")]
    Runtime(#[source] std::io::Error),
}

/// The error of a request.
#[derive(Debug)]
pub(super) enum Failure {
    Model(bspm::Error),
    /// The request is invalid.
    Request(String),
    /// The body has more bytes than this limit.
    TooLarge(usize),
    /// The content type of the body is not JSON.
    MediaType,
    /// The body is compressed with this encoding.
    Encoding(String),
    /// The path does not support the method.
    Method,
    /// The path does not exist.
    NotFound,
    /// The host of the request is not allowed.
    Host(String),
    /// The request has no valid API key.
    Key,
    /// The API key does not allow the request, which needs this right.
    Right(&'static str),
    /// The API key has no requests left in this second.
    Limited,
    /// There is no model with the name.
    NoModel(String),
    /// The server has no event log.
    NoEvents,
    /// The event log cannot be written.
    Storage,
    /// The queue is full.
    Busy,
    /// The request timed out.
    Late,
    /// The request failed unexpectedly.
    Lost,
}

impl Failure {
    /// Converts a message of axum or serde: names of Rust types are replaced by JSON terms.
    pub(super) fn refused(message: &str) -> Self {
        const OPENINGS: [(&str, &str); 3] = [
            (
                "Failed to deserialize the JSON body into the target type: ",
                "",
            ),
            ("Failed to deserialize query string: ", ""),
            (
                "Failed to parse the request body as JSON: ",
                "invalid JSON: ",
            ),
        ];
        const TERMS: [(&str, &str); 6] = [
            ("expected usize", "expected a whole number"),
            ("expected u16", "expected a whole number"),
            ("expected f32", "expected a number"),
            ("expected f64", "expected a number"),
            ("invalid type: sequence,", "invalid type: array,"),
            ("invalid type: map,", "invalid type: object,"),
        ];
        let mut message = message.to_owned();
        for (opening, instead) in OPENINGS {
            if let Some(rest) = message.strip_prefix(opening) {
                message = format!("{instead}{rest}");
            }
        }
        for (term, instead) in TERMS {
            message = message.replace(term, instead);
        }
        Self::Request(message)
    }
}

impl From<bspm::Error> for Failure {
    fn from(error: bspm::Error) -> Self {
        Self::Model(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_error: serde_json::Error) -> Self {
        Self::Lost
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::Model(bspm::Error::UnknownId { .. })
            | Self::NotFound
            | Self::NoEvents
            | Self::NoModel(_) => StatusCode::NOT_FOUND,
            Self::Model(bspm::Error::InvalidParameter { .. }) | Self::Request(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Model(_) | Self::Lost => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType | Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host(_) | Self::Right(_) => StatusCode::FORBIDDEN,
            Self::Key => StatusCode::UNAUTHORIZED,
            Self::Limited => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Storage => StatusCode::SERVICE_UNAVAILABLE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(super) fn message(self) -> String {
        let status = self.status();
        match self {
            // The reason may name files and ids of others.
            Self::Model(error) if status == StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!("{}", bspm::with_sources(&error));
                "internal error: the request failed; hint: the log of the server has the reason"
                    .into()
            }
            Self::Model(error) => bspm::with_sources(&error),
            Self::Request(message) | Self::NoModel(message) => message,
            Self::TooLarge(most) => format!("body: expected at most {most} bytes, found more"),
            Self::MediaType => "expected the header content-type: application/json".into(),
            Self::Encoding(found) => {
                format!("content-encoding: expected no compression of the body, found {found:?}")
            }
            Self::Method => {
                "method not allowed; the header allow lists the supported methods".into()
            }
            Self::NotFound => {
                "path not found; hint: /openapi.json describes all paths of the server".into()
            }
            Self::Host(host) => {
                format!(
                    "host {host:?} is not allowed; hint: allow it with `bspm serve --host NAME`"
                )
            }
            Self::Key => {
                "expected the header authorization: Bearer KEY, with a valid API key".into()
            }
            Self::Right(right) => format!("the API key does not have the right to {right}"),
            Self::Limited => {
                "the API key has used its requests of this second; hint: try again later".into()
            }
            Self::NoEvents => {
                "the server has no event log; hint: start it with `bspm serve --events FOLDER`"
                    .into()
            }
            Self::Storage => {
                "the event log cannot be written, and the events were not added; hint: try again \
                 later"
                    .into()
            }
            Self::Busy => "too many requests are waiting; hint: try again later".into(),
            Self::Late => "the request timed out".into(),
            Self::Lost => "internal error: the request failed".into(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(json!({ "error": self.message() }))).into_response();
        let header = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Some((header::RETRY_AFTER, "1"))
            }
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = header {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}
