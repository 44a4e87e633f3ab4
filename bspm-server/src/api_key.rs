//! API keys: their rights and their limits.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use subtle::ConstantTimeEq;

/// The minimum length of a key.
const SHORTEST: usize = 16;

/// An API key.
///
/// # Examples
///
/// ```
/// use bspm_server::ApiKey;
///
/// let key: ApiKey = "3f0c3c7f56b24a0f read 100/s".parse().unwrap();
/// assert!(key.read && !key.write);
/// assert_eq!(key.per_second, Some(100));
/// let key: ApiKey = "3f0c3c7f56b24a0f".parse().unwrap();
/// assert!(key.read && key.write);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key.
    pub key: String,
    /// Whether the key may read lists, histories and the other responses.
    pub read: bool,
    /// Whether the key may add events.
    pub write: bool,
    /// The maximum number of requests per second. Default: no maximum.
    pub per_second: Option<u32>,
}

impl ApiKey {
    /// Creates a key with all rights and without a limit.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            read: true,
            write: true,
            per_second: None,
        }
    }
}

/// Parses `KEY [read] [write] [N/s]`. Without `read` and `write`, the key has both rights.
impl FromStr for ApiKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let key = words.next().unwrap_or_default();
        if key.len() < SHORTEST || !key.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(format!(
                "expected a key of at least {SHORTEST} visible ASCII characters; hint: make one with \
                 `openssl rand -hex 32`"
            ));
        }
        let mut parsed = Self {
            read: false,
            write: false,
            ..Self::new(key)
        };
        for word in words {
            match (word, word.strip_suffix("/s").map(str::parse)) {
                ("read", _) => parsed.read = true,
                ("write", _) => parsed.write = true,
                (_, Some(Ok(limit @ 1..))) => parsed.per_second = Some(limit),
                _ => {
                    return Err(format!(
                        "unknown word after the key: {word:?}; expected read, write, or a limit such as \
                         100/s"
                    ));
                }
            }
        }
        if !parsed.read && !parsed.write {
            (parsed.read, parsed.write) = (true, true);
        }
        Ok(parsed)
    }
}

/// A key of a server, and the requests that it has left.
#[derive(Debug)]
pub(super) struct Limited {
    key: ApiKey,
    left: Mutex<Left>,
}

/// The number of requests that are left, at a time. It grows by the limit in each second, up to the limit.
#[derive(Debug)]
struct Left {
    requests: f64,
    at: Instant,
}

impl Limited {
    pub(super) fn new(key: ApiKey) -> Self {
        let left = Left {
            requests: key.per_second.unwrap_or_default().into(),
            at: Instant::now(),
        };
        Self {
            key,
            left: Mutex::new(left),
        }
    }

    pub(super) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Compares a key in constant time.
    pub(super) fn is(&self, key: &str) -> bool {
        self.key.key.as_bytes().ct_eq(key.as_bytes()).into()
    }

    /// Takes one request. Returns `false` if none is left.
    pub(super) fn take(&self, now: Instant) -> bool {
        let Some(limit) = self.key.per_second.map(f64::from) else {
            return true;
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(left.at).as_secs_f64();
        left.requests = (left.requests + since * limit).min(limit);
        left.at = now;
        let is_left = left.requests >= 1.0;
        if is_left {
            left.requests -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_have_rights_and_limits() {
        let key = |text: &str| text.parse::<ApiKey>();
        let parsed = key("0123456789abcdef write 5/s").unwrap();
        assert_eq!(
            (parsed.read, parsed.write, parsed.per_second),
            (false, true, Some(5))
        );
        for odd in [
            "",
            "short",
            "0123456789abcdef admin",
            "0123456789abcdef 0/s",
            "0123456789abcdef /s",
        ] {
            key(odd).unwrap_err();
        }
    }

    #[test]
    fn a_limit_is_a_number_of_requests_per_second() {
        let limited = Limited::new("0123456789abcdef 3/s".parse().unwrap());
        let start = Instant::now();
        let taken = |at: Duration| (0..9).filter(|_| limited.take(start + at)).count();
        assert_eq!(taken(Duration::ZERO), 3);
        assert_eq!(taken(Duration::from_millis(400)), 1);
        assert_eq!(taken(Duration::from_secs(60)), 3);
        let free = Limited::new(ApiKey::new("0123456789abcdef"));
        assert!((0..1_000).all(|_| free.take(start)));
    }
}
