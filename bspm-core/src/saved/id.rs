//! Ids as bytes.

/// A type of ids that can be saved in a model file.
///
/// # Examples
///
/// ```
/// use bspm_core::saved::SavedId;
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash)]
/// struct Isbn([u8; 13]);
///
/// impl SavedId for Isbn {
///     const KIND: &'static str = "isbn-13";
///
///     fn append_to(&self, bytes: &mut Vec<u8>) {
///         bytes.extend(self.0);
///     }
///
///     fn read(_kind: &str, bytes: &[u8]) -> Option<Self> {
///         Some(Self(bytes.try_into().ok()?))
///     }
/// }
/// ```
pub trait SavedId: Sized {
    /// The name of this kind of id in model files.
    const KIND: &'static str;

    /// Appends the bytes of the id.
    fn append_to(&self, bytes: &mut Vec<u8>);

    /// Parses the bytes of an id; `None` if they are invalid.
    fn read(kind: &str, bytes: &[u8]) -> Option<Self>;

    /// Whether [`read`](Self::read) accepts ids of this kind.
    fn accepts(kind: &str) -> bool {
        kind == Self::KIND
    }
}

/// Also reads numbers, as decimal digits.
impl SavedId for String {
    const KIND: &'static str = "string";

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }

    fn read(kind: &str, bytes: &[u8]) -> Option<Self> {
        match kind {
            Self::KIND => std::str::from_utf8(bytes).ok().map(str::to_owned),
            kind => number(kind, bytes).map(|number| number.to_string()),
        }
    }

    fn accepts(kind: &str) -> bool {
        kind == Self::KIND || NUMBERS.contains(&kind)
    }
}

/// The kinds of ids that are whole numbers, which can also be read as text.
const NUMBERS: [&str; 4] = [u32::KIND, u64::KIND, i32::KIND, i64::KIND];

/// Converts the bytes of an id to a number.
fn number(kind: &str, bytes: &[u8]) -> Option<i128> {
    Some(match kind {
        u32::KIND => u32::read(kind, bytes)?.into(),
        u64::KIND => u64::read(kind, bytes)?.into(),
        i32::KIND => i32::read(kind, bytes)?.into(),
        i64::KIND => i64::from_le_bytes(bytes.try_into().ok()?).into(),
        _ => return None,
    })
}

/// Also reads the kinds of smaller numbers.
impl SavedId for i64 {
    const KIND: &'static str = "i64";

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn read(kind: &str, bytes: &[u8]) -> Option<Self> {
        number(kind, bytes)?.try_into().ok()
    }

    fn accepts(kind: &str) -> bool {
        kind != u64::KIND && NUMBERS.contains(&kind)
    }
}

macro_rules! saved_integer {
    ($($integer:ident)*) => {$(
        /// Eight or fewer bytes, little-endian.
        impl SavedId for $integer {
            const KIND: &'static str = stringify!($integer);

            fn append_to(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn read(_kind: &str, bytes: &[u8]) -> Option<Self> {
                Some(Self::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

saved_integer!(u32 u64 i32);
