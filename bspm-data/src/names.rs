//! Enums whose values have names, such as those of flags and settings.

/// Implements `NAMES`, `name`, `Display` and `FromStr` for an enum. The error of `FromStr` names the parameter.
#[doc(hidden)]
#[macro_export]
macro_rules! names {
    ($type:ident($parameter:literal): $($value:ident = $name:literal,)+) => {
        impl $type {
            /// The names, which [`FromStr`](std::str::FromStr) parses.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                match text {
                    $($name => Ok(Self::$value),)+
                    _ => {
                        let expected = Self::NAMES.join(", ");
                        Err($crate::parameter::invalid($parameter, expected, format!("{text:?}")))
                    }
                }
            }
        }
    };
}
