//! JSON objects.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What a request is read from.
pub(super) trait Request {
    /// What is expected if there is something else.
    const EXPECTED: &'static str;
}

/// A value that is written as a JSON object. A derived `Deserialize` also takes an array, as the
/// values of the fields in their order.
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
