//! What each RPC needs: read from the protos, refused if anything is undeclared.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use steward_proto::authz::v1::AccessRule;

pub use steward_proto::authz::v1::Exposure;

/// The method option that declares an RPC's rule.
const OPTION: &str = "steward.authz.v1.access";

/// The rule of one RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The permission a caller's roles must grant.
    pub permission: String,
    /// Whether the gateway forwards it.
    pub exposure: Exposure,
}

/// The rule of every RPC a process serves, by path (`/steward.work_order.v1.WorkOrderService/AssignWorkOrder`).
#[derive(Debug, Clone, Default)]
pub struct PermissionTable(BTreeMap<String, Rule>);

/// Why a service does not start: RPCs without a rule, or services that the descriptors do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no access rule for: {}", .0.join(", "))]
pub struct MissingPermission(pub Vec<String>);

impl PermissionTable {
    /// Reads the rules of `services` (full names) from `pool`.
    ///
    /// # Errors
    /// [`MissingPermission`] naming everything that lacks a rule.
    pub fn from_descriptors(pool: &DescriptorPool, services: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, MissingPermission> {
        let (mut rules, mut missing) = (BTreeMap::new(), Vec::new());
        for service in services {
            let Some(service) = pool.get_service_by_name(service.as_ref()) else {
                missing.push(service.as_ref().to_owned());
                continue;
            };
            for method in service.methods() {
                match rule(pool, &method) {
                    Some(rule) => drop(rules.insert(path(&method), rule)),
                    None => missing.push(method.full_name().to_owned()),
                }
            }
        }
        if missing.is_empty() { Ok(Self(rules)) } else { Err(MissingPermission(missing)) }
    }

    /// The rules of every service of the suite.
    ///
    /// # Errors
    /// As [`PermissionTable::from_descriptors`].
    pub fn whole_suite() -> Result<Self, MissingPermission> {
        let pool = steward_proto::descriptor_pool();
        let ours = pool.services().filter(|service| service.full_name().starts_with("steward."));
        Self::from_descriptors(pool, ours.map(|service| service.full_name().to_owned()))
    }

    /// The rule of the RPC at `path`.
    pub fn rule(&self, path: &str) -> Option<&Rule> {
        self.0.get(path)
    }

    /// Every path with its rule, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.0.iter().map(|(path, rule)| (path.as_str(), rule))
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn rule(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<Rule> {
    let option = pool.get_extension_by_name(OPTION)?;
    let options = method.options();
    let declared: AccessRule = options.get_extension(&option).as_message()?.transcode_to().ok()?;
    let exposure = declared.exposure();
    (!declared.permission.is_empty()).then_some(Rule { permission: declared.permission, exposure })
}
