//! Messages before the ledger: caps, situations, reservations of others, emergencies.

use prost_types::Timestamp;
use steward_kit::ids::{HouseholdId, WorkOrderId};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as care;
use steward_proto::notification::v1 as pb;
use steward_proto::survey::v1 as survey;
use tonic::Code;
use uuid::Uuid;

use crate::consent::{advert, agree, send_advert};
use crate::ledger::{entries, invitation, reserve};
use crate::templates::{activate, create, send, template};
use crate::world::{World, at, eventually, refused, request_id};

async fn messages_about(world: &World, subject: &str) -> Vec<pb::Message> {
    let request = pb::ListMessagesRequest { subject_id: subject.to_owned(), ..Default::default() };
    world.messages().list_messages(world.operations().asks(request)).await.unwrap().into_inner().messages
}

async fn settled(world: &World, subject: &str, count: usize) -> Vec<pb::Message> {
    eventually("settled messages", || async {
        let messages = messages_about(world, subject).await;
        let done = messages.iter().filter(|message| message.state() != pb::MessageState::Queued).count();
        (done == count && messages.len() == count).then_some(messages)
    })
    .await
}

fn invited(world: &World, invitation: &str, household: HouseholdId) -> NewEvent {
    let fact = survey::InvitationDue {
        invitation_id: invitation.to_owned(),
        wave_name: "2026 Q1".to_owned(),
        estate_id: world.estate.to_string(),
        household_id: household.to_string(),
        customer_id: world.customer.to_string(),
        ..Default::default()
    };
    NewEvent::new(Uuid::parse_str(invitation).unwrap(), world.estate, world.now(), &fact)
}

fn reminded(world: &World, invitation: &str, household: HouseholdId) -> NewEvent {
    let fact = survey::ReminderDue {
        invitation_id: invitation.to_owned(),
        wave_name: "2026 Q1".to_owned(),
        estate_id: world.estate.to_string(),
        household_id: household.to_string(),
        customer_id: world.customer.to_string(),
        reminder: 1,
        ..Default::default()
    };
    NewEvent::new(Uuid::parse_str(invitation).unwrap(), world.estate, world.now(), &fact)
}

/// SV-53: a reminder goes by the channel that the survey asks for; by mail to who has an address, and in the app by itself.
#[tokio::test]
async fn a_reminder_goes_by_the_channel_that_it_names() {
    let world = World::new().await;
    for (code, first) in [("email", "email"), ("inbox", "inbox")] {
        let subject = Uuid::now_v7().to_string();
        let fact = survey::ReminderDue {
            invitation_id: subject.clone(),
            wave_name: "2026 Q1".to_owned(),
            estate_id: world.estate.to_string(),
            household_id: HouseholdId::new().to_string(),
            customer_id: world.customer.to_string(),
            reminder: 1,
            channel_code: code.to_owned(),
            ..Default::default()
        };
        world.publish("survey", vec![NewEvent::new(Uuid::parse_str(&subject).unwrap(), world.estate, world.now(), &fact)]).await;
        let message = settled(&world, &subject, 1).await.remove(0);
        let chosen: Vec<String> = world
            .steps(&message.id)
            .await
            .iter()
            .filter(|step| step.code() == pb::MessageStepCode::ChannelChosen)
            .map(|step| step.details.get("channel").cloned().unwrap_or_default())
            .collect();
        assert_eq!(chosen.first().map(String::as_str), Some(first), "{chosen:?}");
        assert!(code == "email" || !chosen.contains(&"email".to_owned()), "{chosen:?}");
    }
}

/// SV-18: when the effect of an improvement is known, whoever publishes in the estate has the draft that tells the owners.
#[tokio::test]
async fn a_verified_improvement_brings_the_draft_of_its_publication() {
    let world = World::new().await;
    let facts = survey::ImprovementPlanFacts {
        improvement_plan_id: Uuid::now_v7().to_string(),
        estate_id: world.estate.to_string(),
        title: "投诉处理及时率".to_owned(),
        owner: "supervisor-1".to_owned(),
    };
    let fact = survey::ImprovementPlanVerified { plan: Some(facts), goal_reached: true };
    world.publish("survey", vec![NewEvent::new(Uuid::now_v7(), world.estate, world.now(), &fact)]).await;
    let draft = world.items(&world.manager(), 1).await.remove(0);
    assert!(draft.title.contains("投诉处理及时率") && draft.body.contains("公示草稿"), "{draft:?}");
}

/// CA-84, NT-37: four marketing messages a month get through, the fifth is blocked, with the reason and the time; service
/// messages pass.
#[tokio::test]
async fn the_fifth_marketing_message_of_a_month_is_blocked() {
    let world = World::new().await;
    advert(&world).await;
    agree(&world).await;
    for _ in 0..4 {
        assert_eq!(send_advert(&world).await.state(), pb::MessageState::Delivered);
    }
    let fifth = send_advert(&world).await;
    assert_eq!((fifth.state(), fifth.suppress_reason()), (pb::MessageState::Suppressed, pb::SuppressReason::Cap));
    let said: Vec<String> = world.steps(&fifth.id).await.into_iter().map(|step| step.text).collect();
    let cap = "Cap marketing_per_month is reached: 4 of 4; free from 2026-03-31T16:00:00Z.";
    assert!(said.iter().any(|text| text == cap), "{said:?}");
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    world.items(&world.resident(), 5).await;
    world.clock.set(at("2026-04-01T02:00:00Z"));
    assert_eq!(send_advert(&world).await.state(), pb::MessageState::Delivered, "a new month");
}

/// SV-41, NT-40: an invitation that survey reserved is sent without being counted again, and marked as made; its reminder
/// is the same contact; another invitation within thirty days is not sent, and survey is told by what it was about.
#[tokio::test]
async fn messages_use_the_reservations_of_others() {
    let world = World::new().await;
    let household = HouseholdId::new();
    let contact = pb::ContactQuestion { customer_id: world.customer.to_string(), ..invitation(&world, household) };
    let reserved = reserve(&world, &contact).await;
    world.publish("survey", vec![invited(&world, &contact.subject_id, household)]).await;
    let sent = settled(&world, &contact.subject_id, 1).await.remove(0);
    assert_eq!((sent.state(), sent.message_class()), (pb::MessageState::Delivered, pb::MessageClass::Survey));
    assert_eq!((sent.subject_kind.as_str(), sent.household_id), ("invitation", household.to_string()));
    world.publish("survey", vec![reminded(&world, &contact.subject_id, household)]).await;
    assert!(settled(&world, &contact.subject_id, 2).await.iter().all(|message| message.state() == pb::MessageState::Delivered));

    let another = Uuid::now_v7().to_string();
    world.publish("survey", vec![invited(&world, &another, household)]).await;
    let refused = settled(&world, &another, 1).await.remove(0);
    assert_eq!((refused.state(), refused.suppress_reason()), (pb::MessageState::Suppressed, pb::SuppressReason::Cap));
    let kinds: Vec<_> = entries(&world, household).await.iter().rev().map(|entry| (entry.kind(), entry.reservation_id.clone())).collect();
    use pb::ContactEntryKind::{Refused, Reserved, Sent};
    let id = reserved.reservation_id;
    assert_eq!(kinds, [(Reserved, id.clone()), (Sent, id.clone()), (Sent, id), (Refused, String::new())]);
    let released = pb::ReleaseContactsRequest {
        request_id: request_id(),
        reservation_ids: vec![reserved_id(&world).await],
        reason: "late".to_owned(),
    };
    let answer = world.ledger().release_contacts(world.survey().asks(released)).await.unwrap().into_inner();
    assert!(answer.reservation_ids.is_empty(), "a contact that was made is not given back");
}

async fn reserved_id(world: &World) -> String {
    let pool = world.database.superuser().await.unwrap();
    let id: Uuid = sqlx::query_scalar("SELECT id FROM notification.contacts").fetch_one(&pool).await.unwrap();
    id.to_string()
}

/// A worker that dies after it wrote, or before: the message is judged again and its contact is not counted twice.
#[tokio::test]
async fn a_message_that_is_judged_twice_is_counted_once() {
    let mut world = World::new().await;
    let household = HouseholdId::new();
    let subject = Uuid::now_v7().to_string();
    world.publish("survey", vec![invited(&world, &subject, household)]).await;
    let message = settled(&world, &subject, 1).await.remove(0);
    eventually("the sent mail", || async {
        world.steps(&message.id).await.iter().any(|step| step.code() == pb::MessageStepCode::Sent).then_some(())
    })
    .await;
    // As the rows stand when its worker dies before it wrote: waiting, the timer of the lease set; the contact was reserved.
    let pool = world.database.superuser().await.unwrap();
    for sql in [
        "UPDATE notification.messages SET state = 'queued', row_version = row_version + 1,
                content = content || '{\"unjudged\": true}'",
        "INSERT INTO notification.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
         SELECT gen_random_uuid(), 'message_due', id, '', estate_id, create_time + interval '2 minutes',
                create_time + interval '2 minutes', create_time FROM notification.messages",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    world.restart().await;
    world.advance(121);
    eventually("the message settled again", || async {
        let messages = messages_about(&world, &subject).await;
        (messages[0].state() == pb::MessageState::Delivered).then_some(())
    })
    .await;
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.contacts").fetch_one(&pool).await.unwrap();
    assert_eq!(counted, 1);
    assert_eq!(entries(&world, household).await.len(), 2, "both judgements are in the ledger");
}

/// NT-38: nothing is sold to a household with an open major complaint; afterwards it is.
#[tokio::test]
async fn an_open_major_complaint_suppresses_marketing() {
    let world = World::new().await;
    let household = HouseholdId::new();
    advert(&world).await;
    agree(&world).await;
    let offer = || pb::SendMessageRequest { household_id: household.to_string(), ..send(&world, "advert") };
    world.situations.0.lock().unwrap().insert(household.to_string(), "major_complaint".to_owned());
    let held = world.messages().send_message(world.manager().asks(offer())).await.unwrap().into_inner().message.unwrap();
    assert_eq!((held.state(), held.suppress_reason()), (pb::MessageState::Suppressed, pb::SuppressReason::Situation));
    let kinds: Vec<_> = entries(&world, household).await.into_iter().map(|entry| (entry.kind(), entry.reasons)).collect();
    assert_eq!(kinds, [(pb::ContactEntryKind::Refused, vec!["SUPPRESSED_MAJOR_COMPLAINT".to_owned()])]);
    world.situations.0.lock().unwrap().clear();
    let sent = world.messages().send_message(world.manager().asks(offer())).await.unwrap().into_inner().message.unwrap();
    assert_eq!(sent.state(), pb::MessageState::Delivered);
}

/// NT-44: who was chosen by traits and agreed to no such choice gets no automated marketing.
#[tokio::test]
async fn marketing_by_traits_needs_agreement_to_that() {
    let world = World::new().await;
    advert(&world).await;
    agree(&world).await;
    let chosen = pb::SendMessageRequest { uses_profile: true, ..send(&world, "advert") };
    let held = world.messages().send_message(world.manager().asks(chosen)).await.unwrap().into_inner().message.unwrap();
    assert_eq!((held.state(), held.suppress_reason()), (pb::MessageState::Suppressed, pb::SuppressReason::Profiling));
}

/// Emergencies go past everything, by a permission of their own; the ledger keeps who and why.
#[tokio::test]
async fn an_emergency_passes_by_a_permission_of_its_own() {
    let world = World::at(crate::world::NIGHT).await;
    let version = create(&world, template("gas", pb::MessageClass::Emergency)).await;
    activate(&world, &version).await;
    advert(&world).await;
    let plain = refused(world.messages().send_message(world.manager().asks(send(&world, "gas"))).await);
    assert_eq!(plain, (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()));
    let request = |key: &str| pb::SendEmergencyMessageRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        recipient: send(&world, key).recipient,
        template_key: key.to_owned(),
        variables: send(&world, key).variables,
        reason: "gas leak in building 3".to_owned(),
        ..Default::default()
    };
    let wrong = refused(world.ledger().send_emergency_message(world.manager().asks(request("advert"))).await);
    assert_eq!(wrong.0, Code::InvalidArgument);
    let resident = refused(world.ledger().send_emergency_message(world.resident().asks(request("gas"))).await);
    assert_eq!(resident.0, Code::PermissionDenied);
    let sent = world.ledger().send_emergency_message(world.manager().asks(request("gas"))).await.unwrap().into_inner().message.unwrap();
    assert_eq!(sent.state(), pb::MessageState::Delivered, "at night, too");
    let request = pb::ListContactsRequest { customer_id: world.customer.to_string(), ..Default::default() };
    let told = world.ledger().list_contacts(world.manager().asks(request)).await.unwrap().into_inner().entries;
    assert_eq!((told[0].kind(), told[0].note.as_str()), (pb::ContactEntryKind::Overridden, "gas leak in building 3"));
    assert_eq!(told[0].actor.as_ref().unwrap().subject, "manager-1");
}

/// NT-16, NT-17, NT-40: care says what is due, template and class among it; one greeting per person and date, whatever the
/// number of facts.
#[tokio::test]
async fn care_is_routed_by_what_its_facts_say() {
    let world = World::new().await;
    let consent = pb::GiveConsentRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        purpose: pb::ConsentPurpose::Care.into(),
        channel: pb::Channel::Inbox.into(),
        text_version: "2026-03".to_owned(),
        language: "zh-CN".to_owned(),
        proof: Some(pb::ConsentProof { method: pb::ConsentMethod::App.into(), reference: "session-1".to_owned() }),
        give_time: None,
    };
    let mut consents = pb::consent_service_client::ConsentServiceClient::new(world.channel());
    consents.give_consent(world.resident().asks(consent)).await.unwrap();
    let due = |touchpoint: &Uuid| care::TouchpointMessageDue {
        touchpoint: Some(care::TouchpointFacts {
            touchpoint_id: touchpoint.to_string(),
            estate_id: world.estate.to_string(),
            household_id: HouseholdId::new().to_string(),
            customer_id: world.customer.to_string(),
            definition_code: "birthday".to_owned(),
            due_time: Some(Timestamp { seconds: 1_772_416_800, nanos: 0 }),
            ..Default::default()
        }),
        template_key: "care.birthday".to_owned(),
        purpose_class: "care".to_owned(),
    };
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    world.publish("care", vec![NewEvent::new(first, world.estate, world.now(), &due(&first))]).await;
    let greeting = settled(&world, &first.to_string(), 1).await.remove(0);
    assert_eq!((greeting.template_key.as_str(), greeting.state()), ("care.birthday", pb::MessageState::Delivered));
    // The same person, by another household of theirs.
    world.publish("care", vec![NewEvent::new(second, world.estate, world.now(), &due(&second))]).await;
    let visit = Uuid::now_v7();
    let notice = care::VisitNoticeDue {
        visit: Some(care::VisitFacts {
            visit_id: visit.to_string(),
            estate_id: world.estate.to_string(),
            household_id: HouseholdId::new().to_string(),
            customer_id: world.customer.to_string(),
            start_time: Some(Timestamp { seconds: 1_773_021_600, nanos: 0 }),
            ..Default::default()
        }),
    };
    world.publish("care", vec![NewEvent::new(visit, world.estate, world.now(), &notice)]).await;
    let notice = settled(&world, &visit.to_string(), 1).await.remove(0);
    assert_eq!((notice.template_key.as_str(), notice.message_class()), ("care.visit_notice", pb::MessageClass::Service));
    assert!(messages_about(&world, &second.to_string()).await.is_empty(), "one greeting per person and date");
    let pool = world.database.superuser().await.unwrap();
    let told: i64 = eventually("the fact of the second greeting", || async {
        let sql = "SELECT count(*) FROM notification.outbox WHERE type = 'steward.notification.v1.MessageSuppressed'";
        Some(sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()).filter(|count: &i64| *count > 0)
    })
    .await;
    assert_eq!(told, 1, "care is told that the second one was not sent");
}
