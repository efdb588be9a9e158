//! Who calls.

use crate::ids::{CustomerId, EstateId};

/// The caller, as their token says. Holds no personal data: `subject` is the issuer's opaque id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The issuer's id of the caller; the same person keeps it.
    pub subject: String,
    /// What sort of caller it is.
    pub kind: PrincipalKind,
    /// Names of roles; a name the role table does not know grants nothing.
    pub roles: Vec<String>,
    /// The estates the caller works for or lives in.
    pub estates: EstateSet,
    /// The customer the caller is, if they are one.
    pub customer_id: Option<CustomerId>,
}

crate::codes! {
    /// What sort of caller a principal is, as it stands in tokens, in records and in audit entries.
    PrincipalKind {
        /// Someone who works for the group.
        Staff = "staff",
        /// A resident or another customer.
        Customer = "customer",
        /// One of our own services, in the background.
        Service = "service",
        /// A sensor, gate or platform.
        Device = "device",
    }
}

crate::same_codes! {
    PrincipalKind = steward_proto::common::v1::ActorKind { Staff, Customer, Service, Device };
}

/// Some estates, or every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EstateSet {
    /// Every estate, also those founded later.
    All,
    /// These and no others; may be empty.
    Some(Vec<EstateId>),
}

impl EstateSet {
    /// Whether `estate` is one of them.
    pub fn contains(&self, estate: EstateId) -> bool {
        match self {
            Self::All => true,
            Self::Some(estates) => estates.contains(&estate),
        }
    }
}
