//! Conditions of routing rules: those on the event when it arrives, those on the household when the message would go.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use steward_kit::ids::HouseholdId;
use steward_kit::predicate::{Fact, ask};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as care;
use steward_proto::common::v1::Predicate;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::routing_rule_service_client::RoutingRuleServiceClient;
use uuid::Uuid;

use crate::templates::{activate, create, template};
use crate::world::{MORNING, NIGHT, World, at, eventually, request_id};

/// A rule of the estate for parcels that lie too long, beside the one that ships.
async fn parcel_rule(world: &World, class: pb::MessageClass, when: Predicate) {
    let version = create(world, template("parcel.hint", class)).await;
    activate(world, &version).await;
    let rule = pb::CreateRoutingRuleRequest {
        request_id: request_id(),
        code: "parcel_hint".to_owned(),
        estate_id: world.estate.to_string(),
        event_type: "steward.care.v1.ParcelOverdue".to_owned(),
        recipients: vec![pb::RuleRecipient { kind: pb::RuleRecipientKind::Customer.into(), value: "customer_id".to_owned() }],
        template_key: "parcel.hint".to_owned(),
        variables: [("name".to_owned(), "shelf_code".to_owned())].into(),
        subject_path: "parcel_id".to_owned(),
        subject_kind: "parcel".to_owned(),
        household_path: "household_id".to_owned(),
        when: Some(when),
        ..Default::default()
    };
    let mut client = RoutingRuleServiceClient::new(world.channel());
    let made = client.create_routing_rule(world.manager().asks(rule.clone())).await.unwrap().into_inner().routing_rule.unwrap();
    assert_eq!(made.when, rule.when, "as it was given");
}

/// A parcel on a shelf that lies too long; its id.
async fn parcel(world: &World, shelf: &str, household: &str) -> String {
    let id = Uuid::now_v7();
    let fact = care::ParcelOverdue {
        parcel_id: id.to_string(),
        estate_id: world.estate.to_string(),
        household_id: household.to_owned(),
        customer_id: world.customer.to_string(),
        shelf_code: shelf.to_owned(),
        receive_time: None,
    };
    world.publish("care", vec![NewEvent::new(id, world.estate, world.now(), &fact)]).await;
    id.to_string()
}

fn household(world: &World, is_renovating: bool) -> String {
    let id = HouseholdId::new().to_string();
    know(world, &id, is_renovating);
    id
}

fn know(world: &World, household: &str, is_renovating: bool) {
    let facts = HashMap::from([("household.is_renovating", Fact::Boolean(is_renovating))]);
    world.situations.1.lock().unwrap().facts.insert(household.to_owned(), facts);
}

/// The message of the rule about a parcel, once the parcel's fact was routed: none where the rule did not apply.
async fn hint(world: &World, parcel: &str, state: Option<pb::MessageState>) -> Option<pb::Message> {
    eventually("messages about a parcel", || async {
        let request = pb::ListMessagesRequest { subject_id: parcel.to_owned(), ..Default::default() };
        let list = world.messages().list_messages(world.operations().asks(request)).await.unwrap().into_inner().messages;
        let hint = list.iter().find(|message| message.template_key == "parcel.hint").cloned();
        let is_so = match state {
            Some(state) => hint.as_ref().is_some_and(|hint| hint.state() == state),
            None => !list.is_empty(),
        };
        is_so.then_some(hint)
    })
    .await
}

/// What the steps with a code say.
async fn said(world: &World, message: &pb::Message, code: pb::MessageStepCode) -> Vec<String> {
    world.steps(&message.id).await.into_iter().filter(|step| step.code() == code).map(|step| step.text).collect()
}

/// M5, NT-18: a rule applies where its conditions on the event hold, and goes to the households for which the others hold; why is
/// told in both cases.
#[tokio::test]
async fn a_rule_asks_the_event_and_the_household() {
    let world = World::new().await;
    let when = ask::all([ask::equals("event.shelf_code", ["A1", "A2"]), ask::is_true("household.is_renovating")]);
    parcel_rule(&world, pb::MessageClass::Service, when).await;
    let (builds, rests) = (household(&world, true), household(&world, false));

    let met = parcel(&world, "A1", &builds).await;
    let met = hint(&world, &met, Some(pb::MessageState::Delivered)).await.unwrap();
    let routed = said(&world, &met, pb::MessageStepCode::Routed).await;
    assert_eq!(routed, ["Event steward.care.v1.ParcelOverdue met rule parcel_hint (event.shelf_code = A1)."]);
    let held = said(&world, &met, pb::MessageStepCode::AudienceMet).await;
    assert_eq!(held, ["The household meets the condition on household.is_renovating (OPERATOR_EQUALS): it is true."]);

    let missed = parcel(&world, "A2", &rests).await;
    let missed = hint(&world, &missed, Some(pb::MessageState::Suppressed)).await.unwrap();
    assert_eq!(missed.suppress_reason(), pb::SuppressReason::NotInAudience);
    let held = said(&world, &missed, pb::MessageStepCode::AudienceMissed).await;
    assert_eq!(held, ["The household misses the condition on household.is_renovating (OPERATOR_EQUALS): it is false."]);

    // Nobody named, and nobody known: no household that could meet it.
    for unknown in [String::new(), HouseholdId::new().to_string()] {
        let nobody = parcel(&world, "A1", &unknown).await;
        let nobody = hint(&world, &nobody, Some(pb::MessageState::Suppressed)).await.unwrap();
        let held = said(&world, &nobody, pb::MessageStepCode::AudienceMissed).await;
        assert_eq!(held, ["No household of the estate is named that could meet the conditions."]);
    }
    let elsewhere = parcel(&world, "B7", &builds).await;
    assert_eq!(hint(&world, &elsewhere, None).await, None, "the event does not meet the rule");

    // Changed in place, as a migration does, the rule is met by what it says now and not by what was read of it before.
    let pool = world.database.superuser().await.unwrap();
    let sql =
        "UPDATE notification.routing_rules SET document = replace(document::text, '\"A2\"', '\"B7\"')::jsonb WHERE code = 'parcel_hint'";
    assert_eq!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected(), 1);
    let (now_met, no_more) = (parcel(&world, "B7", &builds).await, parcel(&world, "A2", &builds).await);
    assert!(hint(&world, &now_met, Some(pb::MessageState::Delivered)).await.is_some());
    assert_eq!(hint(&world, &no_more, None).await, None, "the rule does not speak of that shelf any more");
}

/// M5: where customer does not answer, a message is neither sent nor lost; it goes once the household can be asked.
#[tokio::test]
async fn a_household_that_cannot_be_asked_keeps_its_message_waiting() {
    let world = World::new().await;
    parcel_rule(&world, pb::MessageClass::Service, ask::is_true("household.is_renovating")).await;
    let builds = household(&world, true);
    world.situations.1.lock().unwrap().is_down = true;
    let parcel = parcel(&world, "A1", &builds).await;
    eventually("the question", || async { (world.situations.1.lock().unwrap().asked > 0).then_some(()) }).await;
    let waits = hint(&world, &parcel, Some(pb::MessageState::Queued)).await.unwrap();
    assert_eq!(world.items(&world.resident(), 1).await.len(), 1, "only what ships was told");
    world.situations.1.lock().unwrap().is_down = false;
    world.advance(300);
    let sent = hint(&world, &parcel, Some(pb::MessageState::Delivered)).await.unwrap();
    assert_eq!(sent.id, waits.id);
    assert_eq!(world.items(&world.resident(), 2).await.len(), 2, "told once");
}

/// M5, NT-28: what decides is how the household stands when the message goes, not when the event came.
#[tokio::test]
async fn the_household_is_asked_at_the_moment_of_acting() {
    let world = World::at(NIGHT).await;
    parcel_rule(&world, pb::MessageClass::Survey, ask::is_true("household.is_renovating")).await;
    let (stays, ends) = (household(&world, true), household(&world, true));
    let (first, second) = (parcel(&world, "A1", &stays).await, parcel(&world, "A1", &ends).await);
    for parcel in [&first, &second] {
        hint(&world, parcel, Some(pb::MessageState::Deferred)).await;
    }
    know(&world, &ends, false);
    world.clock.set(at(MORNING) + jiff::SignedDuration::from_hours(24));
    assert!(hint(&world, &first, Some(pb::MessageState::Delivered)).await.is_some());
    let missed = hint(&world, &second, Some(pb::MessageState::Suppressed)).await.unwrap();
    assert_eq!(missed.suppress_reason(), pb::SuppressReason::NotInAudience);
}

/// Rules that were written in the little language of before mean the same in the one of the house, the deleted ones too.
#[tokio::test]
async fn rules_of_before_keep_their_meaning() {
    let world = World::new().await;
    let pool = world.database.superuser().await.unwrap();
    let rules = [
        ("contacted", "work_order.v1.CustomerContacted", r#"[{"path": "reached", "values": ["true"]}]"#),
        (
            "warned",
            "work_order.v1.ClockWarned",
            r#"[{"path": "notify_roles", "values": ["assignee"]}, {"path": "percent", "values": ["50", "80"]}]"#,
        ),
        ("reminded", "survey.v1.ReminderDue", r#"[{"path": "channel_code", "values": ["", "email"]}]"#),
        ("unnamed", "survey.v1.ReminderDue", r#"[{"path": "channel_code", "values": [""]}]"#),
        ("any", "survey.v1.ReminderDue", "[]"),
    ];
    for (code, event, matches) in rules {
        let sql = "INSERT INTO notification.routing_rules (id, code, event_type, template_key, document, row_version, create_time)
                   VALUES (gen_random_uuid(), $1, 'steward.' || $2, 'x', jsonb_build_object('matches', $3::jsonb, 'recipients', '[]'::jsonb), 1, now())";
        sqlx::query(sql).bind(code).bind(event).bind(matches).execute(&pool).await.unwrap();
    }
    sqlx::raw_sql(AssertSqlSafe(include_str!("../../migrations/1008_rule_conditions.sql"))).execute(&pool).await.unwrap();
    let mut client = RoutingRuleServiceClient::new(world.channel());
    let list = pb::ListRoutingRulesRequest { page_size: 200, ..Default::default() };
    let listed = client.list_routing_rules(world.operations().asks(list)).await.unwrap().into_inner().routing_rules;
    let when = |code: &str| listed.iter().find(|rule| rule.code == code).unwrap().when.clone();
    let percent = ask::condition(
        "event.percent",
        steward_proto::common::v1::Operator::Equals,
        [50, 80].map(steward_proto::common::v1::value::Kind::Integer),
    );
    let reminded = [ask::equals("event.channel_code", ["email"]), ask::missing("event.channel_code")];
    assert_eq!(when("contacted"), Some(ask::is_true("event.reached")));
    assert_eq!(when("warned"), Some(ask::all([ask::has_any("event.notify_roles", ["assignee"]), percent])));
    assert_eq!(when("reminded"), Some(ask::any(reminded)));
    assert_eq!(when("unnamed"), Some(ask::missing("event.channel_code")));
    assert_eq!(when("any"), None);
    // What ships is written in the same words, so it says the same as before.
    assert_eq!(when("customer_contacted_to_customer"), when("contacted"));
    assert_eq!(when("clock_warned_to_assignee"), Some(ask::has_any("event.notify_roles", ["assignee"])));
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM notification.routing_rules WHERE document ? 'matches'").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}
