use super::*;

const WORK_ORDERS: &str = "steward.work_order.v1.WorkOrderService";

#[test]
fn rules_are_read_from_the_protos() {
    let pool = steward_proto::descriptor_pool();
    let table = PermissionTable::from_descriptors(pool, [WORK_ORDERS]).expect("all declared");
    let rule = table.rule("/steward.work_order.v1.WorkOrderService/AssignWorkOrder").expect("an RPC");
    assert_eq!((rule.permission.as_str(), rule.exposure), ("work_order.assign", Exposure::Unspecified));
    assert_eq!(table.rule("/steward.work_order.v1.WorkOrderService/Nothing"), None);

    let contacts = PermissionTable::from_descriptors(pool, ["steward.customer.v1.ContactService"]).expect("all declared");
    let (_, rule) = contacts.iter().next().expect("an RPC");
    assert_eq!(rule.exposure, Exposure::Internal);
}

#[test]
fn a_service_without_rules_is_refused_with_every_rpc_named() {
    let mut pool = prost_reflect::DescriptorPool::new();
    let file = prost_types::FileDescriptorProto {
        name: Some("bare.proto".into()),
        package: Some("bare.v1".into()),
        message_type: vec![prost_types::DescriptorProto { name: Some("Nothing".into()), ..Default::default() }],
        service: vec![prost_types::ServiceDescriptorProto {
            name: Some("BareService".into()),
            method: ["One", "Two"]
                .map(|name| prost_types::MethodDescriptorProto {
                    name: Some(name.into()),
                    input_type: Some(".bare.v1.Nothing".into()),
                    output_type: Some(".bare.v1.Nothing".into()),
                    ..Default::default()
                })
                .to_vec(),
            ..Default::default()
        }],
        syntax: Some("proto3".into()),
        ..Default::default()
    };
    pool.add_file_descriptor_proto(file).expect("a valid file");
    let missing = PermissionTable::from_descriptors(&pool, ["bare.v1.BareService", "gone.v1.GoneService"]).expect_err("refused");
    assert_eq!(missing.0, ["bare.v1.BareService.One", "bare.v1.BareService.Two", "gone.v1.GoneService"]);
}
