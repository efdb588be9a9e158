//! The contact ledger as other services ask it: verdicts, reservations, reasons.

use jiff::Timestamp;
use steward_kit::ids::HouseholdId;
use steward_kit::proto::{timestamp, to_timestamp};
use steward_proto::notification::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::world::{NIGHT, World, at, bad_fields, refused, request_id};

/// An invitation of a household to a survey; a new one each time.
pub(crate) fn invitation(world: &World, household: HouseholdId) -> pb::ContactQuestion {
    pb::ContactQuestion {
        estate_id: world.estate.to_string(),
        household_id: household.to_string(),
        message_class: pb::MessageClass::Survey.into(),
        subject_kind: "invitation".to_owned(),
        subject_id: Uuid::now_v7().to_string(),
        ..Default::default()
    }
}

pub(crate) fn reserving(contacts: Vec<pb::ContactQuestion>) -> pb::ReserveContactsRequest {
    pb::ReserveContactsRequest { request_id: request_id(), contacts }
}

pub(crate) async fn reserve(world: &World, contact: &pb::ContactQuestion) -> pb::ContactVerdict {
    let request = reserving(vec![contact.clone()]);
    world.ledger().reserve_contacts(world.survey().asks(request)).await.unwrap().into_inner().verdicts.remove(0)
}

async fn check(world: &World, contact: &pb::ContactQuestion) -> pb::ContactVerdict {
    let request = pb::CheckContactsRequest { contacts: vec![contact.clone()] };
    world.ledger().check_contacts(world.survey().asks(request)).await.unwrap().into_inner().verdicts.remove(0)
}

pub(crate) async fn entries(world: &World, household: HouseholdId) -> Vec<pb::ContactEntry> {
    let request = pb::ListContactsRequest { household_id: household.to_string(), ..Default::default() };
    world.ledger().list_contacts(world.manager().asks(request)).await.unwrap().into_inner().entries
}

fn until(verdict: &pb::ContactVerdict) -> Option<Timestamp> {
    verdict.until_time.as_ref().and_then(timestamp)
}

/// SV-41: a household that was invited is not invited again for thirty days, and at most four times a year; the callback of
/// an order is owed and passes.
#[tokio::test]
async fn a_household_is_invited_once_in_thirty_days() {
    let world = World::new().await;
    let household = HouseholdId::new();
    let first = reserve(&world, &invitation(&world, household)).await;
    assert_eq!(first.outcome(), pb::ContactOutcome::Allowed);
    assert!(!first.reservation_id.is_empty() && !first.is_repeated);

    world.advance(10 * 86_400);
    let again = invitation(&world, household);
    let refused = reserve(&world, &again).await;
    assert_eq!((refused.outcome(), refused.reservation_id.as_str()), (pb::ContactOutcome::Refused, ""));
    assert_eq!((refused.reasons[0].code.as_str(), refused.reasons[0].rule.as_str()), ("CAP_HOUSEHOLD", "survey_per_30_days"));
    assert_eq!(until(&refused), Some(at("2026-04-01T02:00:00Z")), "thirty days after the first, at the same local time");
    let callback = pb::ContactQuestion { subject_kind: "work_order".to_owned(), ..invitation(&world, household) };
    assert_eq!(reserve(&world, &callback).await.outcome(), pb::ContactOutcome::Allowed, "a callback is owed");
    assert_eq!(reserve(&world, &invitation(&world, HouseholdId::new())).await.outcome(), pb::ContactOutcome::Allowed);

    world.clock.set(at("2026-04-01T02:00:00Z"));
    assert_eq!(reserve(&world, &again).await.outcome(), pb::ContactOutcome::Allowed);
    for month in ["2026-05-02", "2026-06-02"] {
        world.clock.set(at(&format!("{month}T02:00:00Z")));
        assert_eq!(reserve(&world, &invitation(&world, household)).await.outcome(), pb::ContactOutcome::Allowed);
    }
    world.clock.set(at("2026-07-03T02:00:00Z"));
    let fifth = reserve(&world, &invitation(&world, household)).await;
    assert_eq!((fifth.reasons[0].rule.as_str(), until(&fifth)), ("survey_per_year", Some(at("2026-12-31T16:00:00Z"))));
}

/// A contact is reserved once, whoever asks again and however: by the same request, by another, in one batch, or after the
/// service was started anew. Released, it counts no more.
#[tokio::test]
async fn the_same_contact_counts_once_until_it_is_released() {
    let mut world = World::new().await;
    let household = HouseholdId::new();
    let contact = invitation(&world, household);
    let request = reserving(vec![contact.clone(), contact.clone()]);
    let first = world.ledger().reserve_contacts(world.survey().asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(first.verdicts[0].reservation_id, first.verdicts[1].reservation_id);
    assert!(!first.verdicts[0].is_repeated && first.verdicts[1].is_repeated);
    let replayed = world.ledger().reserve_contacts(world.survey().asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(replayed, first);
    world.restart().await;
    let replayed = world.ledger().reserve_contacts(world.survey().asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(replayed, first, "after a restart too");
    let asked_again = reserve(&world, &contact).await;
    assert!(asked_again.is_repeated && asked_again.reservation_id == first.verdicts[0].reservation_id);
    let changed = pb::ReserveContactsRequest { contacts: vec![invitation(&world, household)], ..request };
    let refusal = refused(world.ledger().reserve_contacts(world.survey().asks(changed)).await);
    assert_eq!(refusal, (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
    assert_eq!(reserve(&world, &invitation(&world, household)).await.outcome(), pb::ContactOutcome::Refused);

    let release = pb::ReleaseContactsRequest {
        request_id: request_id(),
        reservation_ids: vec![first.verdicts[0].reservation_id.clone(), Uuid::now_v7().to_string()],
        reason: "wave_cancelled".to_owned(),
    };
    let released = world.ledger().release_contacts(world.survey().asks(release.clone())).await.unwrap().into_inner();
    assert_eq!(released.reservation_ids, [first.verdicts[0].reservation_id.clone()]);
    assert_eq!(world.ledger().release_contacts(world.survey().asks(release.clone())).await.unwrap().into_inner(), released);
    let again = pb::ReleaseContactsRequest { request_id: request_id(), ..release };
    assert!(world.ledger().release_contacts(world.survey().asks(again)).await.unwrap().into_inner().reservation_ids.is_empty());
    assert_eq!(reserve(&world, &invitation(&world, household)).await.outcome(), pb::ContactOutcome::Allowed);
    let told = entries(&world, household).await;
    let kinds: Vec<_> = told.iter().rev().map(pb::ContactEntry::kind).collect();
    use pb::ContactEntryKind::{Refused, Released, Reserved};
    assert_eq!(kinds, [Reserved, Refused, Released, Reserved]);
    assert_eq!((told[1].note.as_str(), told[1].actor.as_ref().unwrap().subject.as_str()), ("wave_cancelled", "service.survey"));
}

/// NT-28: at night a contact waits for the morning; one that is planned for the morning does not. Checking counts nothing.
#[tokio::test]
async fn quiet_hours_are_those_of_the_time_of_the_contact() {
    let world = World::at(NIGHT).await;
    let household = HouseholdId::new();
    let contact = invitation(&world, household);
    let now = check(&world, &contact).await;
    assert_eq!((now.outcome(), now.reasons[0].code.as_str()), (pb::ContactOutcome::Deferred, "QUIET_HOURS"));
    let opens = until(&now).unwrap();
    assert!((at("2026-03-03T00:00:00Z")..at("2026-03-03T00:10:00Z")).contains(&opens), "{opens}");
    assert_eq!(until(&check(&world, &contact).await), Some(opens), "a household has its own moment, the same every time");
    let planned = pb::ContactQuestion { contact_time: Some(to_timestamp(at("2026-03-03T02:00:00Z"))), ..contact };
    assert_eq!(check(&world, &planned).await.outcome(), pb::ContactOutcome::Allowed);
    assert_eq!(check(&world, &planned).await.reservation_id, "");
    assert_eq!(reserve(&world, &planned).await.outcome(), pb::ContactOutcome::Allowed);
    let sooner = pb::ContactQuestion { contact_time: Some(to_timestamp(at("2026-03-03T01:00:00Z"))), ..invitation(&world, household) };
    assert_eq!(reserve(&world, &sooner).await.reasons[0].code, "CAP_HOUSEHOLD", "a planned contact counts for those before it too");
}

/// CP-32, NT-38, NT-44: consent, situation of the household and choice by traits, each with its own reason.
#[tokio::test]
async fn each_rule_has_its_reason() {
    let world = World::new().await;
    let household = HouseholdId::new();
    let offer = pb::ContactQuestion {
        customer_id: world.customer.to_string(),
        message_class: pb::MessageClass::Marketing.into(),
        topic: "marketing.parking".to_owned(),
        ..invitation(&world, household)
    };
    let code = |verdict: pb::ContactVerdict| verdict.reasons.first().map(|reason| reason.code.clone()).unwrap_or_default();
    assert_eq!(code(check(&world, &offer).await), "CONSENT_MISSING");
    crate::consent::agree(&world).await;
    assert_eq!(check(&world, &offer).await.outcome(), pb::ContactOutcome::Allowed);
    assert_eq!(code(check(&world, &pb::ContactQuestion { uses_profile: true, ..offer.clone() }).await), "PROFILING_REFUSED");
    world.situations.0.lock().unwrap().insert(household.to_string(), "major_complaint".to_owned());
    assert_eq!(code(check(&world, &offer).await), "SUPPRESSED_MAJOR_COMPLAINT");
    // C-12: what is owed to the household is not suppressed, nor is a survey.
    assert_eq!(check(&world, &invitation(&world, household)).await.outcome(), pb::ContactOutcome::Allowed);
    crate::consent::withdraw(&world).await;
    assert_eq!(code(check(&world, &offer).await), "OPTED_OUT");
}

/// "If not, when and why": every rule that was asked, in order, in words.
#[tokio::test]
async fn a_verdict_is_explained_rule_by_rule() {
    let world = World::new().await;
    let household = HouseholdId::new();
    reserve(&world, &invitation(&world, household)).await;
    let request = pb::ExplainContactRequest { contact: Some(invitation(&world, household)), language: "en".to_owned() };
    let explained = world.ledger().explain_contact(world.manager().asks(request)).await.unwrap().into_inner();
    assert_eq!(explained.verdict.unwrap().outcome(), pb::ContactOutcome::Refused);
    let said: Vec<&str> = explained.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "Messages of class survey need no consent.",
            "Cap survey_per_30_days is reached: 1 of 1; free from 2026-04-01T02:00:00Z.",
            "Cap survey_per_year has room: 1 of 4 used.",
            "Not sent: cap.",
        ]
    );
}

/// Questions that name nobody, emergencies and strangers are refused, each by its field.
#[tokio::test]
async fn a_question_must_name_somebody() {
    let world = World::new().await;
    let nobody = pb::ContactQuestion { household_id: String::new(), ..invitation(&world, HouseholdId::new()) };
    let emergency = pb::ContactQuestion { message_class: pb::MessageClass::Emergency.into(), ..invitation(&world, HouseholdId::new()) };
    let request = pb::CheckContactsRequest { contacts: vec![nobody, emergency] };
    let fields = bad_fields(world.ledger().check_contacts(world.survey().asks(request)).await);
    assert!(fields.contains(&("contacts[0].household_id".to_owned(), "NOBODY_NAMED".to_owned())), "{fields:?}");
    assert!(fields.iter().any(|(field, _)| field == "contacts[1].message_class"), "{fields:?}");
    let elsewhere = pb::ContactQuestion { estate_id: Uuid::now_v7().to_string(), ..invitation(&world, HouseholdId::new()) };
    let request = pb::ExplainContactRequest { contact: Some(elsewhere), language: String::new() };
    assert_eq!(refused(world.ledger().explain_contact(world.manager().asks(request)).await).0, Code::NotFound);
    let nobody = pb::ListContactsRequest::default();
    assert_eq!(refused(world.ledger().list_contacts(world.manager().asks(nobody)).await).0, Code::InvalidArgument);
}
