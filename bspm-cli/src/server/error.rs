//! What can go wrong, for the program and for who asks.

use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The model cannot be opened.
    #[error(transparent)]
    Model(#[from] bspm::Error),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Threads cannot be started.
    #[error("cannot start the server: {0}")]
    Runtime(std::io::Error),
}

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub(super) enum Failure {
    Model(bspm::Error),
    /// The request is not what is expected.
    Request(String),
    /// The queue is full.
    Busy,
    /// It took longer than a request may.
    Late,
    /// It ended otherwise than it should.
    Lost,
}

impl Failure {
    /// What axum and serde say of a request, in the terms of who sent it: JSON has numbers where
    /// Rust has types of them.
    pub(super) fn refused(message: &str) -> Self {
        const OPENINGS: [(&str, &str); 3] = [
            (
                "Failed to deserialize the JSON body into the target type: ",
                "",
            ),
            ("Failed to deserialize query string: ", ""),
            ("Failed to parse the request body as JSON: ", "no JSON: "),
        ];
        const NUMBERS: [(&str, &str); 4] = [
            ("expected usize", "expected a whole number"),
            ("expected u16", "expected a whole number"),
            ("expected f32", "expected a number"),
            ("expected f64", "expected a number"),
        ];
        let mut message = message.to_owned();
        for (opening, instead) in OPENINGS {
            if let Some(rest) = message.strip_prefix(opening) {
                message = format!("{instead}{rest}");
            }
        }
        for (number, instead) in NUMBERS {
            message = message.replace(number, instead);
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

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Model(error) => {
                let status = match error {
                    bspm::Error::UnknownId { .. } => StatusCode::NOT_FOUND,
                    bspm::Error::InvalidParameter { .. } => StatusCode::BAD_REQUEST,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, error.to_string())
            }
            Self::Request(message) => (StatusCode::BAD_REQUEST, message),
            Self::Busy => {
                let message = "too many requests are waiting; try again".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, message)
            }
            Self::Late => (
                StatusCode::REQUEST_TIMEOUT,
                "the request took too long".into(),
            ),
            Self::Lost => {
                let message = "the request could not be answered".into();
                (StatusCode::INTERNAL_SERVER_ERROR, message)
            }
        };
        let mut response = (status, Json(json!({ "error": message }))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
