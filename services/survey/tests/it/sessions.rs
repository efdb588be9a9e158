//! Interviews, focus groups, forums.

use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::short;
use crate::words::wire;
use crate::world::{World, census, refused, request_id};

pub(crate) async fn planned(world: &World, kind: pb::SessionKind, wave_id: &str) -> pb::Session {
    let create = pb::CreateSessionRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        wave_id: wave_id.to_owned(),
        kind: kind.into(),
        topic: "养老服务".to_owned(),
        guide: "1. 日常需要什么帮助？".to_owned(),
        appointment_time: wire(world.now()),
    };
    world.sessions().create_session(world.manager().asks(create)).await.unwrap().into_inner().session.unwrap()
}

pub(crate) fn hold(world: &World, session: &pb::Session) -> pb::HoldSessionRequest {
    pb::HoldSessionRequest {
        request_id: request_id(),
        session_id: session.id.clone(),
        hold_time: wire(world.now()),
        notes: "访谈记录".to_owned(),
        ..Default::default()
    }
}

/// SV-07, SV-54
#[tokio::test]
async fn the_themes_of_an_interview_are_coded_and_ranked() {
    let world = World::of(1).await;
    let wave = world.running("interviews", short(), census()).await;
    let session = planned(&world, pb::SessionKind::Interview, &wave.id).await;
    let theme = |code: &str, mention_count| pb::Theme { code: code.to_owned(), mention_count, is_need: true, need_code: code.to_owned() };
    let request = pb::HoldSessionRequest { themes: vec![theme("accompany_to_doctor", 4), theme("meals", 2)], ..hold(&world, &session) };
    let held = world.sessions().hold_session(world.manager().asks(request)).await.unwrap().into_inner().session.unwrap();
    assert_eq!((held.state(), held.notes.as_str(), held.themes.len()), (pb::SessionState::Held, "访谈记录", 2));
    let rank = pb::RankNeedsRequest { wave_id: wave.id, top: 1 };
    let needs = world.sessions().rank_needs(world.manager().asks(rank)).await.unwrap().into_inner().needs;
    assert_eq!((needs[0].code.as_str(), needs[0].count), ("accompany_to_doctor", 4));
}

/// SV-08
#[tokio::test]
async fn a_child_takes_part_only_with_the_guardians_consent() {
    let world = World::of(1).await;
    let session = planned(&world, pb::SessionKind::FocusGroup, "").await;
    let child = pb::AddParticipantRequest {
        request_id: request_id(),
        session_id: session.id.clone(),
        group_code: "children".to_owned(),
        is_minor: true,
        ..Default::default()
    };
    let without = world.sessions().add_participant(world.manager().asks(child.clone())).await;
    refused(without, Code::InvalidArgument, "GUARDIAN_CONSENT_MISSING");
    let with = pb::AddParticipantRequest {
        request_id: request_id(),
        guardian_consent_ref: "consent-17".to_owned(),
        guardian_consent_time: wire(world.now()),
        ..child
    };
    let session = world.sessions().add_participant(world.manager().asks(with)).await.unwrap().into_inner().session.unwrap();
    assert_eq!(session.participants.len(), 1);
}

/// SV-13
#[tokio::test]
async fn twelve_opinions_of_a_forum_become_twelve_items() {
    let world = World::of(1).await;
    let session = planned(&world, pb::SessionKind::Forum, "").await;
    let speaker = world.household(0).customer.unwrap().to_string();
    let opinion = |at: usize| pb::Opinion {
        text: format!("意见 {at}"),
        customer_id: if at == 0 { speaker.clone() } else { String::new() },
        topic_code: String::new(),
    };
    let request = pb::HoldSessionRequest { opinions: (0..12).map(opinion).collect(), ..hold(&world, &session) };
    let again = request.clone();
    let held = world.sessions().hold_session(world.manager().asks(request)).await.unwrap().into_inner().session.unwrap();
    assert_eq!(held.feedback_item_ids.len(), 12);
    let repeated = world.sessions().hold_session(world.manager().asks(again)).await.unwrap().into_inner().session.unwrap();
    assert_eq!(repeated, held);
    let list = pb::ListFeedbackRequest { estate_id: world.estate.to_string(), page_size: 200, ..Default::default() };
    let items = world.feedback().list_feedback(world.manager().asks(list)).await.unwrap().into_inner().feedback_items;
    assert_eq!(items.len(), 12);
    assert!(items.iter().all(|item| item.source() == pb::FeedbackSource::Forum && item.source_ref == session.id));
    assert_eq!(items.iter().filter(|item| item.customer_id == speaker).count(), 1);
}

#[tokio::test]
async fn a_session_is_held_once_and_not_in_the_future() {
    let world = World::of(0).await;
    let session = planned(&world, pb::SessionKind::Interview, "").await;
    let tomorrow = pb::HoldSessionRequest { hold_time: wire(world.now() + jiff::SignedDuration::from_hours(24)), ..hold(&world, &session) };
    refused(world.sessions().hold_session(world.manager().asks(tomorrow)).await, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
    let cancel = pb::CancelSessionRequest { request_id: request_id(), session_id: session.id.clone(), etag: String::new() };
    world.sessions().cancel_session(world.manager().asks(cancel)).await.unwrap();
    refused(world.sessions().hold_session(world.manager().asks(hold(&world, &session))).await, Code::FailedPrecondition, "STATE_FORBIDS");
}
