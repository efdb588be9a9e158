//! What the gateway lets through: every RPC of the contract that is not marked internal.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, MethodDescriptor, Value};

/// The service of the suite that answers a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// `steward.customer.v1`.
    Customer,
    /// `steward.work_order.v1`.
    WorkOrder,
    /// `steward.notification.v1`.
    Notification,
    /// `steward.gateway.v1`: answered here.
    Gateway,
}

impl Owner {
    /// Its name in errors and in health answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::WorkOrder => "work-order",
            Self::Notification => "notification",
            Self::Gateway => "gateway",
        }
    }

    fn of_package(package: &str) -> Option<Self> {
        match package {
            "steward.customer.v1" => Some(Self::Customer),
            "steward.work_order.v1" => Some(Self::WorkOrder),
            "steward.notification.v1" => Some(Self::Notification),
            "steward.gateway.v1" => Some(Self::Gateway),
            _ => None,
        }
    }
}

/// One RPC that is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Who answers it.
    pub owner: Owner,
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
                    let owner = Owner::of_package(method.parent_service().parent_file().package_name())?;
                    let unary = !method.is_server_streaming() && !method.is_client_streaming();
                    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                    Some((path, Entry { owner, unary }))
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
        && Owner::of_package(method.parent_service().parent_file().package_name()).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Methods, Owner};

    #[test]
    fn public_rpcs_are_let_through_and_internal_ones_are_not() {
        let methods = Methods::of(steward_proto::descriptor_pool());
        let create = methods.get("/steward.work_order.v1.WorkOrderService/CreateWorkOrder").expect("public");
        assert_eq!((create.owner, create.unary), (Owner::WorkOrder, true));
        assert!(!methods.get("/steward.work_order.v1.WorkOrderService/WatchWorkOrder").expect("public").unary);
        let internal = "/steward.customer.v1.ContactService/ResolveContact";
        assert!(steward_proto::descriptor_pool().get_service_by_name("steward.customer.v1.ContactService").is_some());
        assert_eq!(methods.get(internal), None);
        assert_eq!(methods.get("/grpc.health.v1.Health/Check"), None);
    }
}
