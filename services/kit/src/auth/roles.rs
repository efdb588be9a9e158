//! Roles as data: what each may do, and how far it reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::access::Access;
use super::principal::{EstateSet, Principal, PrincipalKind};
use super::scope::Scope;
use crate::error::{Error, Result};

/// The roles that ship with the product; an installation may bring its own file.
const BUILT_IN: &str = include_str!("../../data/roles.yaml");

/// How far a role's permissions reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// What belongs to the caller as a customer.
    Own,
    /// The estates in the caller's token.
    Estate,
    /// Every estate.
    All,
}

/// One role, resolved: the sets it includes are part of `permissions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The sort of principal that may hold it: a resident's token cannot hold a service's role, whatever it names. The
    /// kind itself is the issuer's word.
    pub kind: PrincipalKind,
    /// How far its permissions reach.
    pub reach: Reach,
    /// What it may do.
    pub permissions: BTreeSet<String>,
}

/// The role table.
#[derive(Debug, Clone)]
pub struct Roles(BTreeMap<String, Role>);

/// What is wrong with a role file.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// Not YAML of the expected shape.
    #[error("role file does not parse: {0}")]
    Syntax(#[from] serde_yaml_ng::Error),
    /// A role includes a set that is not there.
    #[error("role {role} includes {included}, which is not a set")]
    Include {
        /// The including role.
        role: String,
        /// What it names.
        included: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sets: BTreeMap<String, BTreeSet<String>>,
    roles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: PrincipalKind,
    reach: Reach,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    permissions: BTreeSet<String>,
}

impl Roles {
    /// Reads a role file.
    ///
    /// # Errors
    /// [`RolesError`].
    pub fn load(yaml: &str) -> Result<Self, RolesError> {
        let file: File = serde_yaml_ng::from_str(yaml)?;
        let mut roles = BTreeMap::new();
        for (name, entry) in file.roles {
            let mut permissions = entry.permissions;
            for included in entry.includes {
                match file.sets.get(&included) {
                    Some(set) => permissions.extend(set.iter().cloned()),
                    None => return Err(RolesError::Include { role: name, included }),
                }
            }
            roles.insert(name, Role { kind: entry.kind, reach: entry.reach, permissions });
        }
        Ok(Self(roles))
    }

    /// The roles that ship with the product.
    pub fn built_in() -> Self {
        Self::load(BUILT_IN).expect("the shipped role file is checked by a test")
    }

    /// Every role, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.0.iter().map(|(name, role)| (name.as_str(), role))
    }

    /// Whether `principal` may do `permission`, and to which rows. The widest reach of their roles counts.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], also when the reach is `own` and the token names no customer.
    pub fn authorise(&self, principal: &Principal, permission: &str) -> Result<Access> {
        let held = principal.roles.iter().filter_map(|name| self.0.get(name));
        let granting = held.filter(|role| role.kind == principal.kind && role.permissions.contains(permission));
        let scope = match (granting.map(|role| role.reach).max(), principal.customer_id) {
            (Some(Reach::All), _) => Scope::new(EstateSet::All, None),
            (Some(Reach::Estate), _) => Scope::new(principal.estates.clone(), None),
            (Some(Reach::Own), Some(customer)) => Scope::new(principal.estates.clone(), Some(customer)),
            (Some(Reach::Own), None) | (None, _) => {
                return Err(Error::PermissionDenied { permission: permission.to_owned() });
            }
        };
        Ok(Access::new(principal.clone(), scope, permission))
    }
}
