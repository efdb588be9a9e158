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

/// What sort of caller a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// Someone who works for the group.
    Staff,
    /// A resident or another customer.
    Customer,
    /// One of our own services, in the background.
    Service,
    /// A sensor, gate or platform.
    Device,
}

impl PrincipalKind {
    /// The name in tokens, logs and audit rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Customer => "customer",
            Self::Service => "service",
            Self::Device => "device",
        }
    }
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
