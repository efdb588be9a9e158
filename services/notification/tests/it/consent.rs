//! Consent, preferences and quiet hours: what holds a message back.

use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::consent_service_client::ConsentServiceClient;
use steward_proto::notification::v1::preference_service_client::PreferenceServiceClient;

use crate::templates::{activate, create, send, template};
use crate::world::{NIGHT, World, at, request_id};

pub(crate) async fn advert(world: &World) {
    let version = create(world, template("advert", pb::MessageClass::Marketing)).await;
    activate(world, &version).await;
}

pub(crate) async fn send_advert(world: &World) -> pb::Message {
    world.messages().send_message(world.manager().asks(send(world, "advert"))).await.unwrap().into_inner().message.unwrap()
}

pub(crate) async fn agree(world: &World) -> pb::Consent {
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

pub(crate) async fn withdraw(world: &World) -> Vec<pb::Consent> {
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
    let until = steward_kit::proto::timestamp(&waiting.defer_until_time.unwrap()).unwrap();
    assert_eq!(waiting.state(), pb::MessageState::Deferred);
    // At nine, or within the ten minutes over which the households are spread.
    assert!((at("2026-03-03T01:00:00Z")..at("2026-03-03T01:10:00Z")).contains(&until), "{until}");
    world.clock.set(at("2026-03-03T00:59:59Z"));
    let list = world.inbox().list_inbox_items(world.resident().asks(pb::ListInboxItemsRequest::default())).await.unwrap().into_inner();
    assert!(list.items.is_empty());
    world.clock.set(until);
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
    world.clock.set(at("2026-03-03T01:10:00Z"));
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
    let until = steward_kit::proto::timestamp(&message.defer_until_time.unwrap()).unwrap();
    assert_eq!(message.body, "Hello 世界");
    assert!((at("2026-03-02T03:00:00Z")..at("2026-03-02T03:10:00Z")).contains(&until), "{until}");
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

/// NT-25: a reply that says stop withdraws consent at once; another one does not; the words are not kept.
#[tokio::test]
async fn a_reply_that_says_stop_is_heeded() {
    let world = World::new().await;
    advert(&world).await;
    agree(&world).await;
    let reply = |text: &str| pb::RecordInboundReplyRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        estate_id: world.estate.to_string(),
        text: text.to_owned(),
    };
    let mut client = ConsentServiceClient::new(world.channel());
    let thanks = client.record_inbound_reply(world.manager().asks(reply("好的，谢谢"))).await.unwrap().into_inner();
    assert!(!thanks.is_opt_out && thanks.consents.is_empty());
    assert_eq!(send_advert(&world).await.state(), pb::MessageState::Delivered);
    let stop = reply(" ｒ ");
    let heard = client.record_inbound_reply(world.manager().asks(stop.clone())).await.unwrap().into_inner();
    assert!(heard.is_opt_out && heard.consents.len() == 1);
    assert_eq!(client.record_inbound_reply(world.manager().asks(stop)).await.unwrap().into_inner(), heard, "a replay answers the same");
    assert_eq!(send_advert(&world).await.suppress_reason(), pb::SuppressReason::NoConsent);
}

/// NT-25, NT-48: marketing that leaves the house says who sends it and how to stop it; the inbox needs no such line.
#[tokio::test]
async fn marketing_outside_the_inbox_carries_the_way_out() {
    let world = World::new().await;
    let mut request = template("advert", pb::MessageClass::Marketing);
    let mails = request.texts.clone().into_iter().map(|text| pb::TemplateText { channel: pb::Channel::Email.into(), ..text });
    request.texts.extend(mails.collect::<Vec<_>>());
    let version = create(&world, request).await;
    activate(&world, &version).await;
    agree(&world).await;
    let by_mail = pb::GiveConsentRequest {
        request_id: request_id(),
        customer_id: world.customer.to_string(),
        purpose: pb::ConsentPurpose::Marketing.into(),
        channel: pb::Channel::Email.into(),
        text_version: "2026-03".to_owned(),
        language: "zh-CN".to_owned(),
        proof: Some(pb::ConsentProof { method: pb::ConsentMethod::App.into(), reference: "session-1".to_owned() }),
        give_time: None,
    };
    ConsentServiceClient::new(world.channel()).give_consent(world.resident().asks(by_mail)).await.unwrap();
    let message = send_advert(&world).await;
    assert_eq!(message.body, "你好 世界", "the inbox shows the text alone");
    let mail = world.mail.wait_for(std::time::Duration::from_secs(10), |_| true).await.unwrap();
    assert!(mail.text().contains("回复 R 退订"), "{}", mail.text());
}
