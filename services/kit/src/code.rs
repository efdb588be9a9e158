//! Closed sets of words: one text per value, for ever, in the database and in documents; one number per value in the contract.
//!
//! [`codes!`](crate::codes) defines such a set; [`same_codes!`](crate::same_codes) ties it to the contract's enum value by value, so
//! that a value which only one side has does not compile. Neither side knows the other.

use crate::error::Violations;

#[doc(hidden)]
pub use serde as __serde;

/// A code of the domain that the contract has too.
pub trait Code: Sized {
    /// The contract's enum.
    type Wire: TryFrom<i32> + Into<i32>;

    /// As the contract says it.
    fn wire(self) -> Self::Wire;

    /// What the contract said; `None` for `UNSPECIFIED`, where the domain has no such word.
    fn of_wire(wire: Self::Wire) -> Option<Self>;

    /// As it stands in a message.
    fn number(self) -> i32 {
        self.wire().into()
    }

    /// What stands in a message; `None` for `UNSPECIFIED` and for numbers this version does not know.
    fn of_number(number: i32) -> Option<Self> {
        Self::Wire::try_from(number).ok().and_then(Self::of_wire)
    }
}

/// A code that may not be missing. A fault that the declared rules have noted already is not noted twice.
pub fn required<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    let code = C::of_number(number);
    if code.is_none() && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "enum.defined_only", "must be given, as a value this version knows");
    }
    code
}

/// A code that may be missing, but not unknown.
pub fn optional<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    if number == 0 { None } else { required(bad, field, number) }
}

/// Codes of a list, every bad one named by its place.
pub fn all<C: Code>(bad: &mut Violations, field: &str, numbers: &[i32]) -> Vec<C> {
    numbers.iter().enumerate().filter_map(|(at, number)| required(bad, &format!("{field}[{at}]"), *number)).collect()
}

/// Defines an enum whose values have a text: `as_str`, `parse`, `ALL`, `Display` and serde agree on it.
///
/// ```
/// steward_kit::codes! {
///     /// How warm it is.
///     Warmth {
///         /// Below freezing.
///         Frost = "frost",
///         /// Above.
///         Mild = "mild",
///     }
/// }
/// assert_eq!(Warmth::parse("mild"), Some(Warmth::Mild));
/// assert_eq!(Warmth::ALL.len(), 2);
/// assert_eq!(Warmth::parse("hot"), None);
/// ```
#[macro_export]
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $value:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::code::__serde::Serialize, $crate::code::__serde::Deserialize)]
        #[serde(crate = "::steward_kit::code::__serde")]
        pub enum $name { $($(#[$of])* #[serde(rename = $text)] $value),+ }

        impl $name {
            /// Every value, in declared order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The text of the value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text),+ }
            }

            /// The value of a text.
            pub fn parse(text: &str) -> ::core::option::Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                out.pad(self.as_str())
            }
        }
    };
}

/// Ties codes of the domain to enums of the contract: `Domain = Wire { Value, … };`, each value named alike on both sides. A domain
/// that has a word for what was left out says `unspecified Word` before the semicolon.
#[macro_export]
macro_rules! same_codes {
    ($($code:ty = $wire:path { $($value:ident),+ $(,)? } $(unspecified $none:ident)?;)+) => {$(
        impl $crate::code::Code for $code {
            type Wire = $wire;

            fn wire(self) -> $wire {
                match self { $(Self::$value => <$wire>::$value,)+ $(Self::$none => <$wire>::Unspecified,)? }
            }

            fn of_wire(wire: $wire) -> ::core::option::Option<Self> {
                match wire { $(<$wire>::$value => Some(Self::$value),)+ <$wire>::Unspecified => $crate::same_codes!(@none $($none)?) }
            }
        }
    )+};
    (@none) => { None };
    (@none $none:ident) => { Some(Self::$none) };
}
