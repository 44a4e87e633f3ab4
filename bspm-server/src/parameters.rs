//! The parameters of a request in its query string.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::Failure;

/// The parameters of a request in its query string, each at most once.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parsed(&parts.uri).map(Self)
    }
}

fn parsed<T: DeserializeOwned>(uri: &Uri) -> Result<T, Failure> {
    match Query::try_from_uri(uri) {
        Ok(Query(parameters)) => Ok(parameters),
        Err(error) => Err(Failure::refused(&described(uri, &error.body_text()))),
    }
}

/// Adds to the message of an error what was expected and found, or a hint.
fn described(uri: &Uri, message: &str) -> String {
    let hint = [
        (
            "duplicate field",
            "write the ids of a list into one parameter, separated by commas",
        ),
        ("unknown field `history`", "send a history with POST"),
        ("unknown field `boost`", "send boost with POST"),
        ("unknown field `at_most`", "send at_most with POST"),
    ];
    if let Some((_, hint)) = hint.iter().find(|(start, _)| message.contains(start)) {
        return format!("{message}; hint: {hint}");
    }
    let mut parts = message.rsplitn(3, ": ");
    let (Some(reason), Some(name)) = (parts.next(), parts.next()) else {
        return message.to_owned();
    };
    match (expected(reason), value(uri, name)) {
        (Some(expected), Some(found)) => format!("{name}: expected {expected}, found {found:?}"),
        _ => message.to_owned(),
    }
}

/// What a parameter must be, if the standard library has refused its value for this reason.
fn expected(reason: &str) -> Option<&'static str> {
    match reason {
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type" => Some("a whole number"),
        "invalid float literal" | "cannot parse float from empty string" => Some("a number"),
        "provided string was not `true` or `false`" => Some("true or false"),
        _ => None,
    }
}

fn value(uri: &Uri, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    let mut found = pairs.into_iter().filter(|pair| pair.0 == name);
    found.next().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only errors are tested")]
    struct Example {
        user: String,
        k: Option<usize>,
        score: Option<f32>,
        columns: Option<bool>,
    }

    #[test]
    fn errors_name_the_parameter_its_value_and_what_was_expected() {
        for (query, expected) in [
            (
                "user=a&k=five",
                "k: expected a whole number, found \"five\"",
            ),
            ("user=a&k=", "k: expected a whole number, found \"\""),
            ("user=a&k=-1", "k: expected a whole number, found \"-1\""),
            (
                "user=a&k=99999999999999999999",
                "k: expected a whole number, found \"99999999999999999999\"",
            ),
            (
                "user=a%3D1&score=1%2C5",
                "score: expected a number, found \"1,5\"",
            ),
            ("user=a&score=", "score: expected a number, found \"\""),
            (
                "user=a&columns=1",
                "columns: expected true or false, found \"1\"",
            ),
            ("k=1", "missing field `user`"),
            (
                "user=a&user=b",
                "duplicate field `user`; hint: write the ids of a list into one parameter, separated by commas",
            ),
            (
                "user=a&history=b",
                "history: unknown field `history`, expected one of `user`, `k`, `score`, `columns`; hint: send \
                 a history with POST",
            ),
        ] {
            let uri: Uri = format!("/path?{query}").parse().unwrap();
            let failure = parsed::<Example>(&uri).unwrap_err();
            assert_eq!(failure.message(), expected, "{query}");
        }
    }
}
