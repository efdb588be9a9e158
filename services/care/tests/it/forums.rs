//! Meetings with owners: who is heard, who attends, what is written down, and which a year had.

use jiff::civil::date;
use steward_kit::predicate::Fact;
use steward_proto::care::v1 as pb;
use tonic::Code;

use crate::world::{BASE, UPLIFT, World, at, refused, request_id, stamp, time};

/// CA-56, CA-57: representatives from every building; nine are too few; the minutes are due within a day.
#[tokio::test]
async fn a_forum_hears_every_building_and_writes_it_down_in_a_day() {
    let world = World::under(&[BASE, UPLIFT]).await;
    for at in 0..40 {
        let household = world.households.add(date(2025, 3, 1));
        world.households.set(household.id, "unit.building_code", Fact::Code((at % 4).to_string()));
    }
    let create = |kind: &str| pb::CreateForumRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.to_owned(),
        title: "停车与健身器材".to_owned(),
        topics: vec!["parking".to_owned(), "fitness_equipment".to_owned()],
        start_time: stamp("2026-03-20T06:00:00Z"),
        invite_count: 12,
        seed: "2026-q1".to_owned(),
        ..Default::default()
    };
    refused(world.forums().create_forum(world.manager().asks(create("tea_party"))).await, Code::InvalidArgument, "FORUM_INVALID");
    let forum = world.forums().create_forum(world.manager().asks(create("forum"))).await.unwrap().into_inner().forum.unwrap();
    assert_eq!((forum.invitations.len(), forum.min_size, forum.max_size), (12, 10, 15));
    for building in 0..4 {
        assert_eq!(forum.invitations.iter().filter(|one| one.building_code == building.to_string()).count(), 3);
    }
    world.until_told("ForumInvitationDue", 12).await;
    for invitation in &forum.invitations[..9] {
        let reply = pb::RecordForumReplyRequest {
            request_id: request_id(),
            forum_id: forum.id.clone(),
            etag: String::new(),
            household_id: invitation.household_id.clone(),
            reply: pb::ForumReply::Comes.into(),
        };
        world.forums().record_forum_reply(world.manager().asks(reply)).await.unwrap();
    }
    let stranger = pb::RecordForumReplyRequest {
        request_id: request_id(),
        forum_id: forum.id.clone(),
        etag: String::new(),
        household_id: request_id(),
        reply: pb::ForumReply::Comes.into(),
    };
    refused(world.forums().record_forum_reply(world.manager().asks(stranger)).await, Code::InvalidArgument, "HOUSEHOLD_NOT_INVITED");
    world.go_to("2026-03-20T08:00:00Z");
    let hold = pb::HoldForumRequest { request_id: request_id(), forum_id: forum.id.clone(), ..Default::default() };
    let held = world.forums().hold_forum(world.manager().asks(hold)).await.unwrap().into_inner().forum.unwrap();
    assert_eq!((held.confirmed_count, held.warnings.as_slice()), (9, ["TOO_FEW".to_owned()].as_slice()));
    assert_eq!(time(held.minutes_due_time.as_ref()), at("2026-03-21T08:00:00Z"), "ended 16:00, due next day 16:00");
    world.go_to("2026-03-21T08:00:01Z");
    world.until_told("ForumMinutesOverdue", 1).await;
    let publish = pb::PublishForumMinutesRequest {
        request_id: request_id(),
        forum_id: forum.id,
        etag: String::new(),
        document_reference: "minutes/1".to_owned(),
    };
    let closed = world.forums().publish_forum_minutes(world.manager().asks(publish)).await.unwrap().into_inner().forum.unwrap();
    assert!(closed.is_late && closed.state() == pb::ForumState::Closed);
    world.until_told("ForumMinutesPublished", 1).await;
}

/// The half-yearly talk with the management has its managers, or says which are missing.
#[tokio::test]
async fn a_talk_with_the_management_without_managers_is_warned_of() {
    let world = World::new().await;
    let create = pb::CreateForumRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: "forum".to_owned(),
        title: "物业恳谈会".to_owned(),
        start_time: stamp("2026-03-20T06:00:00Z"),
        ..Default::default()
    };
    let forum = world.forums().create_forum(world.manager().asks(create)).await.unwrap().into_inner().forum.unwrap();
    world.go_to("2026-03-20T08:00:00Z");
    let hold = pb::HoldForumRequest {
        request_id: request_id(),
        forum_id: forum.id,
        attending_roles: vec!["project_management".to_owned()],
        ..Default::default()
    };
    let held = world.forums().hold_forum(world.manager().asks(hold)).await.unwrap().into_inner().forum.unwrap();
    assert_eq!(held.warnings, ["ROLE_MISSING"]);
}

async fn meet(world: &World, kind: &str, start: &str) {
    let create = pb::CreateForumRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.to_owned(),
        title: "座谈会".to_owned(),
        start_time: stamp(start),
        ..Default::default()
    };
    let forum = world.forums().create_forum(world.manager().asks(create)).await.unwrap().into_inner().forum.unwrap();
    world.go_to(start);
    let hold = pb::HoldForumRequest { request_id: request_id(), forum_id: forum.id, ..Default::default() };
    world.forums().hold_forum(world.manager().asks(hold)).await.unwrap();
}

async fn standing(world: &World) -> Vec<(String, String, String)> {
    let request = pb::GetMeetingStandingRequest { estate_id: world.estate.to_string(), year: 2026 };
    let periods = world.forums().get_meeting_standing(world.manager().asks(request)).await.unwrap().into_inner().periods;
    periods.into_iter().map(|one| (one.kind, one.to_date, one.standing)).collect()
}

fn row(kind: &str, to_date: &str, standing: &str) -> (String, String, String) {
    (kind.to_owned(), to_date.to_owned(), standing.to_owned())
}

/// CA-55: a talk with the management is owed in each half year; a second half without one is missed.
#[tokio::test]
async fn a_half_year_without_a_talk_is_missed() {
    let world = World::new().await;
    meet(&world, "forum", "2026-03-20T06:00:00Z").await;
    assert_eq!(standing(&world).await, [row("forum", "2026-06-30", "met"), row("forum", "2026-12-31", "open")]);
    world.go_to("2026-12-31T15:59:00Z");
    assert_eq!(standing(&world).await[1].2, "open");
    world.go_to("2026-12-31T16:00:00Z");
    assert_eq!(standing(&world).await, [row("forum", "2026-06-30", "met"), row("forum", "2026-12-31", "missed")]);
}

/// CA-60: the owners' assembly is owed once a year, beside the quarterly forums.
#[tokio::test]
async fn the_assembly_of_the_owners_is_owed_each_year() {
    let world = World::under(&[BASE, UPLIFT]).await;
    assert_eq!(standing(&world).await.last(), Some(&row("owners_congress", "2026-12-31", "open")));
    meet(&world, "owners_congress", "2026-05-20T06:00:00Z").await;
    let all = standing(&world).await;
    assert_eq!(all[0], row("forum", "2026-03-31", "missed"));
    assert_eq!(all.last(), Some(&row("owners_congress", "2026-12-31", "met")));
}
