//! Tests of the whole way from a bearer token to an access, with a real issuer on a real socket.

mod issuer;
mod layer;
mod permissions;
mod roles;
mod verifier;

pub(crate) use issuer::TestIssuer;

use super::*;
use crate::ids::{CustomerId, EstateId};

fn principal(kind: PrincipalKind, roles: &[&str], estates: EstateSet, customer_id: Option<CustomerId>) -> Principal {
    let roles = roles.iter().map(ToString::to_string).collect();
    Principal { subject: "somebody".into(), kind, roles, estates, customer_id }
}

fn some(estate: EstateId) -> EstateSet {
    EstateSet::Some(vec![estate])
}
