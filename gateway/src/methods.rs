//! What the gateway lets through: every RPC of the contract that is not marked internal.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, MethodDescriptor, Value};
use steward_kit::plan::owner_of;
use steward_proto::plan::v1::PolicyKind;

/// The service of the suite that answers a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// `steward.customer.v1`.
    Customer,
    /// `steward.work_order.v1`.
    WorkOrder,
    /// `steward.notification.v1`.
    Notification,
    /// `steward.survey.v1`.
    Survey,
    /// `steward.care.v1`.
    Care,
    /// `steward.gateway.v1`: answered here.
    Gateway,
}

impl Owner {
    /// The services behind the gateway.
    pub const BEHIND: [Self; 5] = [Self::Customer, Self::WorkOrder, Self::Notification, Self::Survey, Self::Care];

    /// Who owns policies of a kind.
    pub fn of_policies(kind: PolicyKind) -> Option<Self> {
        Self::BEHIND.into_iter().find(|owner| owner.name() == owner_of(kind))
    }

    /// Its name in errors and in health answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::WorkOrder => "work-order",
            Self::Notification => "notification",
            Self::Survey => "survey",
            Self::Care => "care",
            Self::Gateway => "gateway",
        }
    }

    fn of_package(package: &str) -> Option<Self> {
        match package {
            "steward.customer.v1" => Some(Self::Customer),
            "steward.work_order.v1" => Some(Self::WorkOrder),
            "steward.notification.v1" => Some(Self::Notification),
            "steward.survey.v1" => Some(Self::Survey),
            "steward.care.v1" => Some(Self::Care),
            "steward.gateway.v1" => Some(Self::Gateway),
            _ => None,
        }
    }
}

/// Who answers an RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One service, by the package.
    Owner(Owner),
    /// The service that owns policies of the kind in the request: every service serves `steward.plan.v1.PolicyService`.
    PolicyOwner,
}

impl Target {
    fn of_package(package: &str) -> Option<Self> {
        if package == "steward.plan.v1" { Some(Self::PolicyOwner) } else { Owner::of_package(package).map(Self::Owner) }
    }
}

/// One RPC that is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Who answers it.
    pub target: Target,
    /// Whether it answers with one message; streams have no default deadline.
    pub unary: bool,
}

/// The RPCs let through, by path.
#[derive(Debug)]
pub struct Methods(HashMap<String, Entry>);

impl Methods {
    /// Reads the contract.
    pub fn of(pool: &DescriptorPool) -> Self {
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        Self(
            methods
                .filter(is_public)
                .filter_map(|method| {
                    let target = Target::of_package(method.parent_service().parent_file().package_name())?;
                    let unary = !method.is_server_streaming() && !method.is_client_streaming();
                    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                    Some((path, Entry { target, unary }))
                })
                .collect(),
        )
    }

    /// The RPC at a path, if it is let through.
    pub fn get(&self, path: &str) -> Option<Entry> {
        self.0.get(path).copied()
    }
}

/// Whether an RPC is one of ours and not marked `EXPOSURE_INTERNAL`.
pub fn is_public(method: &MethodDescriptor) -> bool {
    const INTERNAL: i32 = steward_proto::authz::v1::Exposure::Internal as i32;
    let pool = method.parent_pool();
    let Some(access) = pool.get_extension_by_name("steward.authz.v1.access") else { return false };
    let options = method.options();
    let exposure = options
        .get_extension(&access)
        .as_message()
        .and_then(|rule| rule.get_field_by_name("exposure").as_deref().and_then(Value::as_enum_number));
    options.has_extension(&access)
        && exposure != Some(INTERNAL)
        && Target::of_package(method.parent_service().parent_file().package_name()).is_some()
}

#[cfg(test)]
mod tests {
    use steward_kit::plan::KINDS;

    use super::{Methods, Owner, Target};

    #[test]
    fn public_rpcs_are_let_through_and_internal_ones_are_not() {
        let methods = Methods::of(steward_proto::descriptor_pool());
        let create = methods.get("/steward.work_order.v1.WorkOrderService/CreateWorkOrder").expect("public");
        assert_eq!((create.target, create.unary), (Target::Owner(Owner::WorkOrder), true));
        let policies = methods.get("/steward.plan.v1.PolicyService/ResolvePolicy").expect("public");
        assert_eq!(policies.target, Target::PolicyOwner);
        assert!(!methods.get("/steward.work_order.v1.WorkOrderService/WatchWorkOrder").expect("public").unary);
        let internal = "/steward.customer.v1.ContactService/ResolveContact";
        assert!(steward_proto::descriptor_pool().get_service_by_name("steward.customer.v1.ContactService").is_some());
        assert_eq!(methods.get(internal), None);
        assert_eq!(methods.get("/grpc.health.v1.Health/Check"), None);
    }
    #[test]
    fn every_kind_of_policy_has_an_owner_behind_the_gateway() {
        assert!(KINDS.iter().all(|kind| Owner::of_policies(*kind).is_some()));
    }
}
