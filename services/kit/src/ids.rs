//! Typed identifiers.
//!
//! Every id on the wire is a plain UUID string; in Rust each kind is its own type, so that a household's id cannot be
//! given where a unit's is meant. Ids are UUIDv7: they sort by the time they were made, which keeps indexes compact.
//! The time inside an id is nobody's business time; never read it.
//!
//! A service defines its own kinds with [`define_id!`](crate::define_id); those that cross services are here.

use uuid::Uuid;

/// What [`define_id!`](crate::define_id) makes. Lets [`crate::error::Violations::id`] parse any kind.
pub trait Id: Copy + From<Uuid> {
    /// What the id names, in words: `work order`.
    const NOUN: &'static str;

    /// The bare UUID, for SQL.
    fn uuid(self) -> Uuid;
}

/// A text that is not an id of this kind. Does not repeat the text: it may hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {noun} id: a UUID is expected")]
pub struct InvalidId {
    /// The kind that was expected.
    pub noun: &'static str,
}

/// Defines a typed id:
///
/// ```
/// steward_kit::define_id!(PolicyId, "policy");
/// let id = PolicyId::new();
/// assert_eq!(PolicyId::parse(&id.to_string()), Ok(id));
/// ```
#[macro_export]
macro_rules! define_id {
    ($(#[$meta:meta])* $name:ident, $noun:literal) => {
        $(#[$meta])*
        #[doc = concat!("Identifies one ", $noun, ".")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::ids::__serde::Serialize, $crate::ids::__serde::Deserialize)]
        #[serde(crate = "::steward_kit::ids::__serde", transparent)]
        pub struct $name($crate::ids::__Uuid);

        impl $name {
            /// A new id, later than every one this process made before.
            #[allow(clippy::new_without_default, reason = "a default id would be a new one each time")]
            pub fn new() -> Self {
                Self($crate::ids::__Uuid::now_v7())
            }

            #[doc = concat!("Reads a ", $noun, " id as it stands on the wire: a hyphenated UUID.")]
            ///
            /// # Errors
            /// Anything else, the nil UUID included.
            pub fn parse(text: &str) -> ::core::result::Result<Self, $crate::ids::InvalidId> {
                $crate::ids::parse_uuid(text).map(Self).ok_or($crate::ids::InvalidId { noun: $noun })
            }

            /// The bare UUID, for SQL.
            pub fn as_uuid(self) -> $crate::ids::__Uuid {
                self.0
            }
        }

        impl $crate::ids::Id for $name {
            const NOUN: &'static str = $noun;

            fn uuid(self) -> $crate::ids::__Uuid {
                self.0
            }
        }

        impl ::core::convert::From<$crate::ids::__Uuid> for $name {
            fn from(uuid: $crate::ids::__Uuid) -> Self {
                Self(uuid)
            }
        }

        impl ::core::convert::From<$name> for $crate::ids::__Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::ids::InvalidId;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, out)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::write!(out, ::core::concat!(::core::stringify!($name), "({})"), self.0)
            }
        }
    };
}

#[doc(hidden)]
pub use serde as __serde;
#[doc(hidden)]
pub use uuid::Uuid as __Uuid;

/// A hyphenated, non-nil UUID. The other spellings `uuid` would take (braces, urn, no hyphens) are refused, so that
/// one thing has one name.
#[doc(hidden)]
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let uuid = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()?;
    (!uuid.is_nil()).then_some(uuid)
}

define_id!(EstateId, "estate");
define_id!(RegionId, "region");
define_id!(GroupId, "group");
define_id!(UnitId, "unit");
define_id!(HouseholdId, "household");
define_id!(CustomerId, "customer");
define_id!(WorkOrderId, "work order");
define_id!(MessageId, "message");
define_id!(TimerId, "timer");
define_id!(EventId, "event");
define_id!(RequestId, "request");

/// A request id for a call made on behalf of a request: the same for the same request and `purpose`, so that repeating
/// the whole repeats the parts. A UUIDv8 over SHA-256.
pub fn derive_request_id(request_id: &str, purpose: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{request_id}\n{purpose}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_request_id_is_the_same_each_time_and_differs_by_purpose() {
        let id = RequestId::new().to_string();
        let derived = derive_request_id(&id, "work_order");
        assert_eq!(derived, derive_request_id(&id, "work_order"));
        assert_ne!(derived, derive_request_id(&id, "customer"));
        assert!(RequestId::parse(&derived).is_ok());
    }

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = WorkOrderId::new();
        assert_eq!(WorkOrderId::parse(&id.to_string()), Ok(id));
        assert_eq!(serde_json::to_string(&id).expect("serialises"), format!("\"{id}\""));
        assert_eq!(format!("{id:?}"), format!("WorkOrderId({id})"));
    }

    #[test]
    fn only_one_spelling_is_an_id() {
        let uuid = Uuid::now_v7();
        for text in [
            String::new(),
            "x".into(),
            uuid.simple().to_string(),
            uuid.braced().to_string(),
            uuid.urn().to_string(),
            Uuid::nil().to_string(),
            format!(" {uuid}"),
        ] {
            assert_eq!(UnitId::parse(&text), Err(InvalidId { noun: "unit" }), "{text:?}");
        }
        assert!(!UnitId::parse("13800138000").expect_err("refused").to_string().contains("138"));
    }

    #[test]
    fn later_ids_are_greater() {
        let ids: Vec<EventId> = (0..1000).map(|_| EventId::new()).collect();
        assert!(ids.is_sorted());
    }
}
