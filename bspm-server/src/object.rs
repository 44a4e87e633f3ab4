//! JSON objects of requests.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A request that is parsed from a JSON object.
pub(super) trait Request {
    /// The expected object, for errors.
    const EXPECTED: &'static str;
}

/// A value that must be a JSON object. A derived `Deserialize` would also accept an array with the
/// values of the fields.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Request> Visitor<'de> for OfObject<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl<'de, T: Deserialize<'de> + Request> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfObject(PhantomData))
    }
}
