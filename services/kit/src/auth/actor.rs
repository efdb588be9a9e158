//! Who did something, as it is kept.

use steward_proto::common::v1 as common;

use super::principal::{Principal, PrincipalKind};
use crate::code::Code as _;

/// Who did something: an id, never a name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Actor {
    /// Sort of principal.
    pub kind: PrincipalKind,
    /// Subject, as in the token.
    pub subject: String,
}

impl Actor {
    /// Somebody.
    pub fn new(kind: PrincipalKind, subject: impl Into<String>) -> Self {
        Self { kind, subject: subject.into() }
    }

    /// The caller, as whoever acts.
    pub fn of(principal: &Principal) -> Self {
        Self::new(principal.kind, principal.subject.clone())
    }

    /// As a message.
    pub fn wire(&self) -> common::Actor {
        common::Actor { kind: self.kind.number(), subject: self.subject.clone() }
    }
}
