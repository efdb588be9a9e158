//! Consent, preferences and quiet hours: what holds a message back.

use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::consent_service_client::ConsentServiceClient;
use steward_proto::notification::v1::preference_service_client::PreferenceServiceClient;

use crate::templates::{activate, create, send, template};
use crate::world::{NIGHT, World, at, request_id};

async fn advert(world: &World) {
    let version = create(world, template("advert", pb::MessageClass::Marketing)).await;
    activate(world, &version).await;
}

async fn send_advert(world: &World) -> pb::Message {
    world.messages().send_message(world.manager().asks(send(world, "advert"))).await.unwrap().into_inner().message.unwrap()
}

async fn agree(world: &World) -> pb::Consent {
    let request = pb::GiveConsentRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        purpose: pb::ConsentPurpose::Marketing.into(),
        channel: pb::Channel::Inbox.into(),
        text_version: "2026-03".to_owned(),
        language: "zh-CN".to_owned(),
        proof: Some(pb::ConsentProof { method: pb::ConsentMethod::App.into(), reference: "session-1".to_owned() }),
        give_time: None,
    };
    ConsentServiceClient::new(world.channel()).give_consent(world.resident().asks(request)).await.unwrap().into_inner().consent.unwrap()
}

async fn withdraw(world: &World) -> Vec<pb::Consent> {
    let request = pb::WithdrawConsentRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        purpose: pb::ConsentPurpose::Marketing.into(),
        channel: 0,
    };
    ConsentServiceClient::new(world.channel()).withdraw_consent(world.resident().asks(request)).await.unwrap().into_inner().consents
}

/// NT-24: silence is no consent; a refusal holds at once; the reason is told.
#[tokio::test]
async fn marketing_without_consent_is_suppressed() {
    let world = World::new().await;
    advert(&world).await;
    let silent = send_advert(&world).await;
    assert_eq!((silent.state(), silent.suppress_reason()), (pb::MessageState::Suppressed, pb::SuppressReason::NoConsent));
    let steps = world.steps(&silent.id).await;
    assert_eq!(steps.last().unwrap().text, "Not sent: no_consent.");

    agree(&world).await;
    assert_eq!(send_advert(&world).await.state(), pb::MessageState::Delivered);
    let withdrawn = withdraw(&world).await;
    assert_eq!(withdrawn.len(), 1);
    assert!(withdraw(&world).await.is_empty(), "nothing left to withdraw");
    assert_eq!(send_advert(&world).await.suppress_reason(), pb::SuppressReason::NoConsent);
    let list = pb::ListConsentsRequest { customer_id: world.customer.to_string(), ..Default::default() };
    let kept = ConsentServiceClient::new(world.channel()).list_consents(world.resident().asks(list)).await.unwrap().into_inner().consents;
    assert!(kept.len() == 1 && kept[0].withdraw_time.is_some(), "the proof stays");
}

/// NT-28: marketing at 22:00 waits for 09:00, and is not dropped; service messages do not wait.
#[tokio::test]
async fn marketing_at_night_waits_for_the_morning() {
    let world = World::at(NIGHT).await;
    advert(&world).await;
    agree(&world).await;
    let waiting = send_advert(&world).await;
    let nine = at("2026-03-03T01:00:00Z");
    assert_eq!((waiting.state(), waiting.defer_until_time), (pb::MessageState::Deferred, Some(to_timestamp(nine))));
    world.clock.set(at("2026-03-03T00:59:59Z"));
    let list = world.inbox().list_inbox_items(world.resident().asks(pb::ListInboxItemsRequest::default())).await.unwrap().into_inner();
    assert!(list.items.is_empty());
    world.clock.set(nine);
    assert_eq!(world.items(&world.resident(), 1).await.len(), 1);
    world.until_state(&waiting.id, pb::MessageState::Delivered).await;
}

/// NT-24, NT-28: consent that is withdrawn while a message waits forbids it.
#[tokio::test]
async fn a_waiting_message_is_judged_anew() {
    let world = World::at(NIGHT).await;
    advert(&world).await;
    agree(&world).await;
    let waiting = send_advert(&world).await;
    withdraw(&world).await;
    world.clock.set(at("2026-03-03T01:00:00Z"));
    let message = world.until_state(&waiting.id, pb::MessageState::Suppressed).await;
    assert_eq!(message.suppress_reason(), pb::SuppressReason::NoConsent);
}

/// NT-28: a customer's own quiet hours and language take the place of the defaults.
#[tokio::test]
async fn preferences_take_the_place_of_defaults() {
    let world = World::new().await;
    advert(&world).await;
    agree(&world).await;
    let request = pb::UpdatePreferencesRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["language".to_owned(), "quiet_hours".to_owned()] }),
        language: "en".to_owned(),
        quiet_hours: Some(pb::QuietHours { from_local: "09:30".to_owned(), to_local: "11:00".to_owned() }),
        ..Default::default()
    };
    let mut client = PreferenceServiceClient::new(world.channel());
    let saved = client.update_preferences(world.resident().asks(request)).await.unwrap().into_inner().preferences.unwrap();
    assert_eq!((saved.language.as_str(), saved.etag.as_str()), ("en", "1"));
    let message = send_advert(&world).await;
    assert_eq!((message.body.as_str(), message.defer_until_time), ("Hello 世界", Some(to_timestamp(at("2026-03-02T03:00:00Z")))));
    let stale = pb::UpdatePreferencesRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["language".to_owned()] }),
        etag: "0".to_owned(),
        ..Default::default()
    };
    let refusal = crate::world::refused(client.update_preferences(world.resident().asks(stale)).await);
    assert_eq!(refusal, (tonic::Code::Aborted, "STALE_ETAG".to_owned()));
}
