//! Ids as bytes.

use std::sync::Arc;

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

macro_rules! saved_text {
    ($($text:ty)*) => {$(
        /// Also reads numbers, as decimal digits.
        impl SavedId for $text {
            const KIND: &'static str = "string";

            fn append_to(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.as_bytes());
            }

            fn read(kind: &str, bytes: &[u8]) -> Option<Self> {
                match kind {
                    Self::KIND => std::str::from_utf8(bytes).ok().map(Self::from),
                    kind => number(kind, bytes).map(|number| number.to_string().into()),
                }
            }

            fn accepts(kind: &str) -> bool {
                kind == Self::KIND || NUMBERS.contains(&kind)
            }
        }
    )*};
}

saved_text!(String Box<str> Arc<str>);

macro_rules! saved_integers {
    ($($(#[$doc:meta])* $integer:ident $smaller:expr;)*) => {
        $(
            /// Little-endian bytes.
            $(#[$doc])*
            impl SavedId for $integer {
                const KIND: &'static str = stringify!($integer);

                fn append_to(&self, bytes: &mut Vec<u8>) {
                    bytes.extend(self.to_le_bytes());
                }

                fn read(kind: &str, bytes: &[u8]) -> Option<Self> {
                    number(kind, bytes)?.try_into().ok()
                }

                fn accepts(kind: &str) -> bool {
                    const SMALLER: &[&str] = &$smaller;
                    kind == Self::KIND || SMALLER.contains(&kind)
                }
            }
        )*

        /// The kinds of ids that are whole numbers, which can also be read as text.
        const NUMBERS: &[&str] = &[$($integer::KIND),*];

        /// Converts the bytes of an id to a number.
        fn number(kind: &str, bytes: &[u8]) -> Option<i128> {
            match kind {
                $($integer::KIND => Some($integer::from_le_bytes(bytes.try_into().ok()?).into()),)*
                _ => None,
            }
        }
    };
}

saved_integers! {
    u8 [];
    u16 [];
    u32 [];
    /// Also reads the kinds of smaller numbers without a sign.
    u64 [u8::KIND, u16::KIND, u32::KIND];
    i8 [];
    i16 [];
    i32 [];
    /// Also reads the kinds of smaller numbers.
    i64 [u8::KIND, u16::KIND, u32::KIND, i8::KIND, i16::KIND, i32::KIND];
}

/// Saved as `u64`, and also reads the kinds of smaller numbers without a sign.
impl SavedId for usize {
    const KIND: &'static str = u64::KIND;

    fn append_to(&self, bytes: &mut Vec<u8>) {
        (*self as u64).append_to(bytes);
    }

    fn read(kind: &str, bytes: &[u8]) -> Option<Self> {
        u64::read(kind, bytes)?.try_into().ok()
    }

    fn accepts(kind: &str) -> bool {
        u64::accepts(kind)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn is_read_as_text<T: SavedId + PartialEq + Debug>(id: T, text: &str) {
        let mut bytes = Vec::new();
        id.append_to(&mut bytes);
        assert_eq!(String::read(T::KIND, &bytes).as_deref(), Some(text));
        assert_eq!(T::read(T::KIND, &bytes), Some(id));
        assert!(T::accepts(T::KIND) && String::accepts(T::KIND));
    }

    #[test]
    fn ids_are_read_as_they_were_saved_and_as_text() {
        is_read_as_text(200_u8, "200");
        is_read_as_text(60_000_u16, "60000");
        is_read_as_text(u64::MAX, "18446744073709551615");
        is_read_as_text(7_usize, "7");
        is_read_as_text(-100_i8, "-100");
        is_read_as_text(-30_000_i16, "-30000");
        is_read_as_text(i64::MIN, "-9223372036854775808");
        is_read_as_text(Arc::<str>::from("tea"), "tea");
        is_read_as_text(Box::<str>::from("tea"), "tea");
        assert_eq!(i64::read(u16::KIND, &7_u16.to_le_bytes()), Some(7));
        assert_eq!(u64::read(u32::KIND, &7_u32.to_le_bytes()), Some(7));
        assert_eq!(usize::read(u8::KIND, &[7]), Some(7));
        assert!(u64::accepts(u32::KIND) && usize::accepts(u16::KIND));
        assert!(!i64::accepts(u64::KIND) && !u32::accepts(u16::KIND));
        assert!(!u64::accepts(i64::KIND) && !u64::accepts(i32::KIND));
    }
}
