//! Which rows a caller may see: the type every query demands.

use uuid::Uuid;

use super::principal::EstateSet;
use crate::error::{Error, Result};
use crate::ids::{CustomerId, EstateId};

/// The rows an authorised caller may touch: some estates, and perhaps only what is their own.
///
/// A scope comes out of an authorised request ([`super::Access`]) or out of [`Scope::system`]; there is no third way,
/// so a query that takes one cannot be asked on behalf of nobody:
///
/// ```compile_fail,E0451
/// # use steward_kit::auth::{EstateSet, Scope};
/// let forged = Scope { estates: EstateSet::All, own: None };
/// ```
///
/// ```compile_fail,E0624
/// # use steward_kit::auth::{EstateSet, Scope};
/// let forged = Scope::new(EstateSet::All, None);
/// ```
///
/// In SQL: `($1::uuid[] IS NULL OR estate_id = ANY($1)) AND ($2::uuid IS NULL OR customer_id = $2)` with
/// [`Scope::estates`] and [`Scope::own_customer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    estates: EstateSet,
    own: Option<CustomerId>,
}

impl Scope {
    pub(super) fn new(estates: EstateSet, own: Option<CustomerId>) -> Self {
        Self { estates, own }
    }

    /// Everything, for work that no caller asked for: a timer that fired, an event that arrived, a sweeper. The reason
    /// is logged, and is for the reviewer who searches for this call.
    pub fn system(reason: &'static str) -> Self {
        tracing::trace!(reason, "system scope");
        Self::new(EstateSet::All, None)
    }

    /// The estates in scope; `None` means all of them.
    pub fn estates(&self) -> Option<Vec<Uuid>> {
        match &self.estates {
            EstateSet::All => None,
            EstateSet::Some(estates) => Some(estates.iter().map(|estate| estate.as_uuid()).collect()),
        }
    }

    /// The customer whose rows alone are in scope; `None` means everybody's.
    pub fn own_customer(&self) -> Option<Uuid> {
        self.own.map(CustomerId::as_uuid)
    }

    /// The same, typed.
    pub fn own_customer_id(&self) -> Option<CustomerId> {
        self.own
    }

    /// One estate of the scope.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside it, as if the estate did not exist.
    pub fn estate(&self, estate: EstateId) -> Result<ScopedEstate> {
        if self.estates.contains(estate) { Ok(ScopedEstate { estate }) } else { Err(Error::not_found("estate", estate)) }
    }

    /// Whether a row of `estate` that belongs to `customer` is in scope; for what was already read, such as events.
    pub fn includes(&self, estate: EstateId, customer: Option<CustomerId>) -> bool {
        self.estates.contains(estate) && (self.own.is_none() || self.own == customer)
    }
}

/// An estate that the caller was found to have. Store functions that write into an estate demand one.
///
/// ```compile_fail,E0451
/// # use steward_kit::{auth::ScopedEstate, ids::EstateId};
/// let forged = ScopedEstate { estate: EstateId::new() };
/// ```
///
/// ```compile_fail,E0277
/// # use steward_kit::{auth::ScopedEstate, ids::EstateId};
/// let forged: ScopedEstate = EstateId::new().into();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopedEstate {
    estate: EstateId,
}

impl ScopedEstate {
    /// The estate's id.
    pub fn id(self) -> EstateId {
        self.estate
    }

    /// The bare UUID, for SQL.
    pub fn as_uuid(self) -> Uuid {
        self.estate.as_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estate_outside_the_scope_does_not_exist() {
        let (mine, other) = (EstateId::new(), EstateId::new());
        let scope = Scope::new(EstateSet::Some(vec![mine]), None);
        assert_eq!(scope.estate(mine).expect("in scope").id(), mine);
        assert!(matches!(scope.estate(other), Err(Error::NotFound { resource: "estate", .. })));
        assert_eq!(scope.estates(), Some(vec![mine.as_uuid()]));
    }

    #[test]
    fn an_empty_set_is_nothing_and_not_everything() {
        let scope = Scope::new(EstateSet::Some(vec![]), None);
        assert_eq!(scope.estates(), Some(vec![]));
        assert!(scope.estate(EstateId::new()).is_err());
        assert_eq!(Scope::system("test").estates(), None);
    }

    #[test]
    fn an_own_scope_includes_one_customer_only() {
        let (estate, me, other) = (EstateId::new(), CustomerId::new(), CustomerId::new());
        let scope = Scope::new(EstateSet::Some(vec![estate]), Some(me));
        assert!(scope.includes(estate, Some(me)));
        assert!(!scope.includes(estate, Some(other)) && !scope.includes(estate, None));
        assert!(!scope.includes(EstateId::new(), Some(me)));
    }
}
