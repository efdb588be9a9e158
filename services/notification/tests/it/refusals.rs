//! Scopes, repeated requests, and rules that do not fit.

use steward_harness::Claims;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::predicate::ask;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::routing_rule_service_client::RoutingRuleServiceClient;
use tonic::Code;

use crate::templates::{activate, create, send, template};
use crate::world::{Caller, World, bad_fields, refused, request_id};

async fn with_template() -> World {
    let world = World::new().await;
    let version = create(&world, template("greeting", pb::MessageClass::Service)).await;
    activate(&world, &version).await;
    world
}

/// What is outside the caller's estates is not there.
#[tokio::test]
async fn another_estate_does_not_exist() {
    let world = with_template().await;
    let sent = world.messages().send_message(world.manager().asks(send(&world, "greeting"))).await.unwrap().into_inner().message.unwrap();
    let elsewhere = Caller::new(&Claims::staff("manager-2").role("estate_manager").estate(EstateId::new()));
    let get = pb::GetMessageRequest { message_id: sent.id.clone() };
    assert_eq!(refused(world.messages().get_message(elsewhere.asks(get.clone())).await).0, Code::NotFound);
    assert_eq!(refused(world.messages().send_message(elsewhere.asks(send(&world, "greeting"))).await).0, Code::NotFound);
    let list = world.messages().list_messages(elsewhere.asks(pb::ListMessagesRequest::default())).await.unwrap().into_inner();
    assert!(list.messages.is_empty());

    // A customer sees their own and nobody else's.
    let other = CustomerId::new();
    world.register_customer(other, world.estate).await;
    let neighbour = Caller::new(&Claims::customer("resident-2", other).role("resident").estate(world.estate));
    assert_eq!(refused(world.messages().get_message(neighbour.asks(get.clone())).await).0, Code::NotFound);
    assert!(world.messages().get_message(world.resident().asks(get)).await.is_ok());
    let mut unknown = send(&world, "greeting");
    unknown.recipient = Some(pb::Recipient { target: Some(pb::recipient::Target::CustomerId(CustomerId::new().to_string())) });
    assert_eq!(refused(world.messages().send_message(world.manager().asks(unknown)).await).0, Code::NotFound);
    assert_eq!(refused(world.messages().send_message(world.resident().asks(send(&world, "greeting"))).await).0, Code::PermissionDenied);
}

/// NT-40: the same request answers the same; another body under its id is refused; the same business key is one
/// message.
#[tokio::test]
async fn a_repeated_request_answers_what_was_answered() {
    let world = with_template().await;
    let request = pb::SendMessageRequest { business_key: "visit-7".to_owned(), ..send(&world, "greeting") };
    let first = world.messages().send_message(world.manager().asks(request.clone())).await.unwrap().into_inner();
    let again = world.messages().send_message(world.manager().asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(first, again);
    let other_body = pb::SendMessageRequest { subject_kind: "visit".to_owned(), ..request.clone() };
    let refusal = refused(world.messages().send_message(world.manager().asks(other_body)).await);
    assert_eq!(refusal, (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
    let same_key = pb::SendMessageRequest { request_id: request_id(), ..request };
    let third = world.messages().send_message(world.manager().asks(same_key)).await.unwrap().into_inner();
    assert_eq!(third.message.unwrap().id, first.message.unwrap().id);
    let list = world.messages().list_messages(world.manager().asks(pb::ListMessagesRequest::default())).await.unwrap().into_inner();
    assert_eq!(list.messages.len(), 1);
}

/// NT-18: a rule is checked against the event and the template before it decides anything.
#[tokio::test]
async fn a_rule_that_does_not_fit_is_refused() {
    let world = with_template().await;
    let mut client = RoutingRuleServiceClient::new(world.channel());
    let rule = pb::CreateRoutingRuleRequest {
        request_id: request_id(),
        code: "greet".to_owned(),
        estate_id: world.estate.to_string(),
        event_type: "steward.work_order.v1.WorkOrderClosed".to_owned(),
        recipients: vec![pb::RuleRecipient { kind: pb::RuleRecipientKind::Customer.into(), value: "order.customer_id".to_owned() }],
        template_key: "greeting".to_owned(),
        variables: [("name".to_owned(), "order.number".to_owned())].into(),
        ..Default::default()
    };
    let faulty = pb::CreateRoutingRuleRequest {
        when: Some(ask::all([
            ask::equals("event.order.colour", ["red"]),
            ask::equals("event.order.cycle", ["one"]),
            ask::equals("event.order.kind", ["RED"]),
            ask::at_least("event.order.number", 3),
        ])),
        variables: [("title".to_owned(), "order.number".to_owned())].into(),
        ..rule.clone()
    };
    let faults = bad_fields(client.create_routing_rule(world.manager().asks(faulty)).await);
    let reasons: Vec<(&str, &str)> = faults.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("when.all_of.predicates[0].condition.field", "PREDICATE_FIELD_UNKNOWN"),
            ("when.all_of.predicates[1].condition.values[0]", "PREDICATE_VALUE_TYPE"),
            ("when.all_of.predicates[2].condition.values[0]", "PREDICATE_CODE_UNKNOWN"),
            ("when.all_of.predicates[3].condition.operator", "PREDICATE_OPERATOR_NOT_ALLOWED"),
            ("variables[name]", "VARIABLE_MISSING"),
            ("variables[title]", "VARIABLE_UNDECLARED"),
        ]
    );
    // The household is asked by another than the event, and only where the event names it.
    let both = [ask::is_true("household.is_renovating"), ask::equals("event.order.category", ["noise"])];
    let mixed = pb::CreateRoutingRuleRequest { when: Some(ask::all([ask::any(both.clone())])), ..rule.clone() };
    let mixed = bad_fields(client.create_routing_rule(world.manager().asks(mixed)).await);
    assert_eq!(mixed, [("when.all_of.predicates[0]".to_owned(), "PREDICATE_MIXED".to_owned())]);
    let nowhere = pb::CreateRoutingRuleRequest { when: Some(ask::all(both)), ..rule.clone() };
    let nowhere = bad_fields(client.create_routing_rule(world.manager().asks(nowhere)).await);
    assert_eq!(nowhere, [("household_path".to_owned(), "HOUSEHOLD_PATH_MISSING".to_owned())]);
    let made = client.create_routing_rule(world.manager().asks(rule.clone())).await.unwrap().into_inner().routing_rule.unwrap();
    let twice = pb::CreateRoutingRuleRequest { request_id: request_id(), ..rule.clone() };
    assert_eq!(
        refused(client.create_routing_rule(world.manager().asks(twice)).await),
        (Code::AlreadyExists, "ROUTING_RULE_EXISTS".to_owned())
    );
    let everywhere = pb::CreateRoutingRuleRequest { request_id: request_id(), estate_id: String::new(), ..rule };
    assert_eq!(refused(client.create_routing_rule(world.manager().asks(everywhere)).await).0, Code::InvalidArgument);
    let delete = pb::DeleteRoutingRuleRequest { request_id: request_id(), routing_rule_id: made.id, etag: String::new() };
    client.delete_routing_rule(world.manager().asks(delete.clone())).await.unwrap();
    client.delete_routing_rule(world.manager().asks(delete)).await.unwrap();
}
