//! The bodies of requests, with a limit on their total size.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Failure;

/// The largest body of a request, in bytes.
const LARGEST: usize = 1 << 20;

/// The number of bytes of a body that do not count against the total. Larger bodies share the total,
/// so that large bodies do not block small ones.
const SMALL: usize = 64 << 10;

/// The maximum total of the bytes beyond [`SMALL`] of all bodies.
const ALL: usize = 64 << 20;

/// The shared limit of all bodies.
#[derive(Debug)]
pub(super) struct Bodies(Arc<Semaphore>);

/// The share of a body, released on drop.
pub(super) type Held = Option<OwnedSemaphorePermit>;

impl Bodies {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL)))
    }

    /// Reads the complete body of a request.
    ///
    /// # Errors
    ///
    /// [`Failure::Encoding`] for a compressed body, [`Failure::TooLarge`] for a body of more than [`LARGEST`] bytes, [`Failure::Busy`] if other bodies
    /// use the limit, [`Failure::Request`] if the client disconnects before the end of the body.
    pub(super) async fn read(&self, request: Request) -> Result<(Request, Held), Failure> {
        let (parts, mut body) = request.into_parts();
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|it| it > LARGEST as u64) {
            if !parts.headers.contains_key(header::EXPECT) {
                drain(&mut body).await;
            }
            return Err(Failure::TooLarge(LARGEST));
        }
        if let Some(encoding) = parts.headers.get(header::CONTENT_ENCODING)
            && encoding != "identity"
        {
            let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
            drain(&mut body).await;
            return Err(Failure::Encoding(encoding));
        }
        let (mut bytes, mut held) = (Vec::new(), Held::None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::Request("the body is incomplete".into()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > LARGEST {
                drop((bytes, held));
                drain(&mut body).await;
                return Err(Failure::TooLarge(LARGEST));
            }
            let before = bytes.len().max(SMALL);
            bytes.extend_from_slice(&data);
            let shared = bytes.len().saturating_sub(before);
            let more = self.0.clone().try_acquire_many_owned(shared as u32);
            let more = more.map_err(|_| Failure::Busy)?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
        }
        let body = Body::from(Bytes::from(bytes));
        Ok((Request::from_parts(parts, body), held))
    }
}

/// Reads further data of a client for a moment. A connection that is closed earlier is reset, and the
/// client may not receive the response.
async fn drain(body: &mut Body) {
    const MOST: usize = 16 * LARGEST;
    let all = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await
            && length < MOST
        {
            length += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
}
