//! Who does something.

use serde::{Deserialize, Serialize};

use super::codes::codes;

codes! {
    /// Sorts of principals.
    ActorKind {
        /// An employee.
        Staff = "staff",
        /// A customer, for themselves.
        Customer = "customer",
        /// A service of this suite.
        Service = "service",
        /// A device or device platform.
        Device = "device",
    }
}

/// Who did something: an id, never a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Sort of principal.
    pub kind: ActorKind,
    /// Subject, as in the token.
    pub subject: String,
}

impl Actor {
    /// Somebody.
    pub fn new(kind: ActorKind, subject: impl Into<String>) -> Self {
        Self { kind, subject: subject.into() }
    }

    /// This service: a timer, a consumer, a job.
    pub fn system() -> Self {
        Self::new(ActorKind::Service, "work-order")
    }
}
