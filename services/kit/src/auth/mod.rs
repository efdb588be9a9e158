//! Who calls, what they may do, and which rows they may see.
//!
//! A request passes four questions, in this order:
//!
//! 1. *Who?* [`TokenVerifier`] checks the bearer token's signature, issuer, audience and time, and reads a [`Principal`].
//! 2. *What does this RPC need?* [`PermissionTable`], read from the protos' own option. A service with an undeclared
//!    RPC does not start.
//! 3. *May they?* [`Roles`], which is data: role -> permissions and a reach (`all`, `estate`, `own`).
//! 4. *Which rows?* The answer is a [`Scope`], which nobody can make by hand; every query of a store takes one.
//!
//! [`AuthLayer`] asks the first three and puts an [`Access`] into the request; handlers start with [`Access::of`].
//! The gateway asks them first, the service asks them again: the gateway is not a wall around soft rooms.

mod access;
mod actor;
mod claims;
mod jwks;
mod layer;
mod permissions;
mod principal;
mod proven;
mod roles;
mod scope;
mod token_source;
mod verifier;

pub use access::Access;
pub use actor::Actor;
pub use jwks::JwksSource;
pub use layer::{Auth, AuthLayer};
pub use permissions::{Exposure, MissingPermission, PermissionTable, Rule};
pub use principal::{EstateSet, Principal, PrincipalKind};
pub use roles::{Reach, Role, Roles, RolesError};
pub use scope::{Scope, ScopedEstate};
pub use token_source::TokenSource;
pub use verifier::{Issuer, TokenVerifier};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::TestIssuer;
