//! Refusals: one table, one edge.
//!
//! Domain, app and store code speak [`Error`]; nothing below `grpc/` knows a transport. The single conversion to
//! [`tonic::Status`] is in `status.rs`: it gives every refusal its code, a stable reason (`ErrorInfo`, domain
//! `steward`) and what the caller needs to do better next time. What is our fault is logged there, once, and leaves
//! as a request id only. No variant carries personal data; ids, states and field names are what a refusal may name.

mod status;
mod violations;

use std::time::Duration;

pub use status::{DOMAIN, reason, unknown_method};
pub use violations::{Violation, Violations};

/// What the suite returns everywhere.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not done. The variants are the rows of the error table in the design.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// INVALID_ARGUMENT: fields that break the declared rules, all of them at once.
    #[error("{0}")]
    Invalid(Violations),

    /// NOT_FOUND: not there, or outside what the caller may see; the two cannot be told apart.
    #[error("{resource} not found")]
    NotFound {
        /// What was looked for, in words: `work order`.
        resource: &'static str,
        /// Its id as the caller gave it. Never personal data.
        id: String,
    },

    /// ALREADY_EXISTS: a duplicate of something that stands.
    #[error("{resource} already exists: {detail}")]
    AlreadyExists {
        /// What exists, in words.
        resource: &'static str,
        /// Stable reason, `SCREAMING_SNAKE_CASE`.
        reason: &'static str,
        /// What collides with what; no personal data.
        detail: String,
    },

    /// FAILED_PRECONDITION: right request, wrong moment.
    #[error("{0}")]
    WrongState(WrongState),

    /// ABORTED: the caller's etag is older than the row. Read again, then retry.
    #[error("{resource} was changed by someone else meanwhile")]
    Stale {
        /// What changed, in words.
        resource: &'static str,
    },

    /// PERMISSION_DENIED: known caller, missing permission.
    #[error("permission {permission} is missing")]
    PermissionDenied {
        /// The permission that would be needed, such as `work_order.assign`.
        permission: String,
    },

    /// UNAUTHENTICATED: no token, or one that does not hold.
    #[error("{detail}")]
    Unauthenticated {
        /// What is wrong with the token, without any part of it.
        detail: &'static str,
    },

    /// RESOURCE_EXHAUSTED: more than the caller's share.
    #[error("quota {quota} is used up")]
    Exhausted {
        /// Which quota.
        quota: &'static str,
        /// When it is worth trying again.
        retry_after: Duration,
    },

    /// UNAVAILABLE: something we need is down; the request can be repeated as it is.
    #[error("{dependency} is unavailable")]
    Unavailable {
        /// What is down: `postgres`, `redis`, or a peer's name.
        dependency: &'static str,
        /// Why, for the log.
        #[source]
        source: anyhow::Error,
    },

    /// INTERNAL: our fault. Nothing of the cause leaves the process.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

/// The state that refuses, and the actions it would have allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct WrongState {
    /// Stable reason, `SCREAMING_SNAKE_CASE`.
    pub reason: &'static str,
    /// What is in that state: `work order 0190…`.
    pub subject: String,
    /// The state it is in, as the API names it.
    pub state: String,
    /// Verbs that this state allows, as the API names them; may be empty.
    pub allowed: Vec<String>,
    /// One sentence for people; no personal data.
    pub detail: String,
}

impl WrongState {
    /// A refusal by state.
    pub fn new(
        reason: &'static str,
        subject: impl Into<String>,
        state: impl Into<String>,
        allowed: impl IntoIterator<Item = impl Into<String>>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            subject: subject.into(),
            state: state.into(),
            allowed: allowed.into_iter().map(Into::into).collect(),
            detail: detail.into(),
        }
    }
}

impl Error {
    /// Our fault, with its cause.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }

    /// Our fault, said in words: for what "cannot happen".
    pub fn bug(what: impl std::fmt::Display) -> Self {
        Self::Internal(anyhow::anyhow!("{what}"))
    }

    /// Not there, or not the caller's to see.
    pub fn not_found(resource: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { resource, id: id.to_string() }
    }

    /// A duplicate.
    pub fn already_exists(resource: &'static str, reason: &'static str, detail: impl Into<String>) -> Self {
        Self::AlreadyExists { resource, reason, detail: detail.into() }
    }

    /// A dependency is down.
    pub fn unavailable(dependency: &'static str, cause: impl Into<anyhow::Error>) -> Self {
        crate::telemetry::dependency_failed(dependency);
        Self::Unavailable { dependency, source: cause.into() }
    }

    /// One bad field.
    pub fn invalid(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        let mut violations = Violations::new();
        violations.add(field, reason, description);
        Self::Invalid(violations)
    }
}

impl From<WrongState> for Error {
    fn from(refusal: WrongState) -> Self {
        Self::WrongState(refusal)
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

#[cfg(test)]
mod tests;
