//! What a token says, and how it becomes a [`Principal`].
//!
//! | claim | meaning |
//! |---|---|
//! | `iss`, `aud`, `exp`, `iat`, `nbf` | as registered; `aud` may be one text or a list |
//! | `sub` | the issuer's opaque id of the caller |
//! | `kind` | `staff`, `customer`, `service`, `device` |
//! | `roles` | names of roles |
//! | `estates` | `"*"`, or the ids of the estates worked for or lived in; absent means none |
//! | `customer_id` | the customer the caller is, if they are one |

use serde::Deserialize;

use super::principal::{EstateSet, Principal, PrincipalKind};
use crate::error::{Error, Result};
use crate::ids::{CustomerId, EstateId};

/// The claims this suite reads; others are ignored.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    sub: String,
    kind: PrincipalKind,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    estates: EstatesClaim,
    customer_id: Option<CustomerId>,
    exp: i64,
    nbf: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum EstatesClaim {
    Some(Vec<EstateId>),
    Word(String),
}

impl Default for EstatesClaim {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

/// Clocks of issuers and services may differ by this much.
const LEEWAY_SECONDS: i64 = 30;

impl Claims {
    /// The caller, if the token holds at `now` (seconds since 1970).
    pub(super) fn principal(self, now: i64) -> Result<Principal> {
        let refused = |detail| Err(Error::Unauthenticated { detail });
        if self.exp.saturating_add(LEEWAY_SECONDS) <= now {
            return refused("token has expired");
        }
        if self.nbf.is_some_and(|start| start.saturating_sub(LEEWAY_SECONDS) > now) {
            return refused("token is not valid yet");
        }
        if self.sub.is_empty() {
            return refused("token has no subject");
        }
        let estates = match self.estates {
            EstatesClaim::Some(estates) => EstateSet::Some(estates),
            EstatesClaim::Word(word) if word == "*" => EstateSet::All,
            EstatesClaim::Word(_) => return refused("token's estates are neither ids nor *"),
        };
        Ok(Principal { subject: self.sub, kind: self.kind, roles: self.roles, estates, customer_id: self.customer_id })
    }
}
