//! An authorised request: who, what, where.

use super::principal::{EstateSet, Principal, PrincipalKind};
use super::scope::Scope;
use crate::error::{Error, Result};

/// What [`super::AuthLayer`] found out about a request. Handlers read it with [`Access::of`]; it cannot be made by
/// hand outside this crate:
///
/// ```compile_fail,E0639
/// # use steward_kit::auth::{Access, Principal, Scope};
/// # fn forge(principal: Principal) {
/// let forged = Access { principal, scope: Scope::system("doc"), permission: "work_order.assign".into() };
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Access {
    /// Who calls.
    pub principal: Principal,
    /// The rows this permission reaches for this caller.
    pub scope: Scope,
    /// The permission that was asked for and found.
    pub permission: String,
}

impl Access {
    pub(super) fn new(principal: Principal, scope: Scope, permission: &str) -> Self {
        Self { principal, scope, permission: permission.to_owned() }
    }

    /// The access of a request that passed the [`super::AuthLayer`].
    ///
    /// # Errors
    /// [`Error::Internal`] when the layer is not in the stack: a fault of the wiring, never of the caller.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self> {
        let access = request.extensions().get::<Self>();
        access.ok_or_else(|| Error::bug("a handler was reached without authorisation"))
    }

    /// Refuses what the caller's permission does not reach after all, and says so in the audit log: for rules that a use
    /// case alone can see, such as "group policies are for those who reach every estate".
    pub fn deny(&self, permission: &str) -> Error {
        tracing::warn!(
            target: "audit",
            subject = self.principal.subject,
            kind = self.principal.kind.as_str(),
            roles = ?self.principal.roles,
            permission,
            "permission denied by the use case"
        );
        Error::PermissionDenied { permission: permission.to_owned() }
    }

    /// The access of background work that runs the same use cases as RPCs do: a timer, an event consumer, a job.
    /// `subject` names the service and job, such as `service.work_order/escalations`.
    pub fn system(subject: &'static str, reason: &'static str) -> Self {
        let principal = Principal {
            subject: subject.to_owned(),
            kind: PrincipalKind::Service,
            roles: Vec::new(),
            estates: EstateSet::All,
            customer_id: None,
        };
        Self::new(principal, Scope::system(reason), "system")
    }
}
