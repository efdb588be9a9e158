//! Broadcasts: created, refused, steered, due.

use std::collections::HashSet;
use std::sync::Arc;

use steward_harness::Claims;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::predicate::ask;
use steward_kit::proto::{timestamp, to_timestamp};
use steward_proto::common::v1::Predicate;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::broadcast_service_client::BroadcastServiceClient;
use tokio::sync::Semaphore;
use tonic::Code;
use tonic::transport::Channel;

use crate::neighbours::Home;
use crate::templates::{activate, create, template};
use crate::world::{Caller, World, at, bad_fields, eventually, refused, request_id};

pub(crate) fn client(world: &World) -> BroadcastServiceClient<Channel> {
    BroadcastServiceClient::new(world.channel())
}

/// A world with an active template `notice` of a class.
pub(crate) async fn with_notice(class: pb::MessageClass) -> World {
    let world = World::new().await;
    notice(&world, class).await;
    world
}

pub(crate) async fn notice(world: &World, class: pb::MessageClass) {
    let version = create(world, template("notice", class)).await;
    activate(world, &version).await;
}

/// Households of the estate, each with a contact of its own.
pub(crate) fn move_in(world: &World, estate: EstateId, count: usize) -> Vec<Home> {
    let home = |_| Home { estate, household: HouseholdId::new(), customer: Some(CustomerId::new()) };
    let homes: Vec<Home> = (0..count).map(home).collect();
    world.situations.1.lock().unwrap().homes.extend(homes.iter().cloned());
    homes
}

/// Lets lists of households through one by one, as permits are added.
pub(crate) fn hold_lists(world: &World) -> Arc<Semaphore> {
    let gate = Arc::new(Semaphore::new(0));
    world.situations.1.lock().unwrap().gate = Some(gate.clone());
    gate
}

/// Waits until households were asked for so often.
pub(crate) async fn until_listed(world: &World, times: usize) {
    eventually("a list of households", || async { (world.situations.1.lock().unwrap().listed >= times).then_some(()) }).await;
}

/// A broadcast of the notice to the world's estate.
pub(crate) fn broadcast(world: &World) -> pb::CreateBroadcastRequest {
    pb::CreateBroadcastRequest {
        request_id: request_id(),
        title: "Minutes of the forum".to_owned(),
        estate_ids: vec![world.estate.to_string()],
        template_key: "notice".to_owned(),
        variables: [("name".to_owned(), "https://example.org/forum".to_owned())].into(),
        ..Default::default()
    }
}

pub(crate) async fn begin(world: &World, request: pb::CreateBroadcastRequest) -> pb::Broadcast {
    client(world).create_broadcast(world.operations().asks(request)).await.unwrap().into_inner().broadcast.unwrap()
}

pub(crate) async fn get(world: &World, id: &str) -> (pb::Broadcast, pb::BroadcastReport) {
    let request = pb::GetBroadcastRequest { broadcast_id: id.to_owned() };
    let answer = client(world).get_broadcast(world.operations().asks(request)).await.unwrap().into_inner();
    (answer.broadcast.unwrap(), answer.report.unwrap())
}

pub(crate) async fn until(world: &World, id: &str, state: pb::BroadcastState) -> (pb::Broadcast, pb::BroadcastReport) {
    eventually(state.as_str_name(), || async {
        let found = get(world, id).await;
        (found.0.state() == state).then_some(found)
    })
    .await
}

/// The message of a broadcast to each customer, and a look whether anybody has two.
pub(crate) async fn told(world: &World, id: &str) -> Vec<(uuid::Uuid, String)> {
    let pool = world.database.superuser().await.unwrap();
    let rows: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("SELECT customer_id, state FROM notification.messages WHERE broadcast_id = $1::text::uuid")
            .bind(id)
            .fetch_all(&pool)
            .await
            .unwrap();
    let people: HashSet<uuid::Uuid> = rows.iter().map(|(customer, _)| *customer).collect();
    assert_eq!(people.len(), rows.len(), "somebody was told twice");
    rows
}

pub(crate) fn stop(id: &str) -> pb::StopBroadcastRequest {
    pb::StopBroadcastRequest { request_id: request_id(), broadcast_id: id.to_owned(), reason: "wrong date".to_owned(), etag: String::new() }
}

/// Types of the facts that were told of a broadcast, in order.
pub(crate) async fn facts(world: &World, id: &str) -> Vec<String> {
    let pool = world.database.superuser().await.unwrap();
    let sql = "SELECT type FROM notification.outbox WHERE subject_id = $1::text::uuid ORDER BY seq";
    let types: Vec<String> = sqlx::query_scalar(sql).bind(id).fetch_all(&pool).await.unwrap();
    types.iter().map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

/// NT-11, NT-13: minutes for 1,800 owners, with the link, are all made before they are due; each owner has one, in the inbox.
#[tokio::test]
async fn every_owner_is_told_before_it_is_due() {
    let world = with_notice(pb::MessageClass::Service).await;
    let homes = move_in(&world, world.estate, 1800);
    let due = world.now() + jiff::SignedDuration::from_hours(24);
    let request = pb::CreateBroadcastRequest {
        due_time: Some(to_timestamp(due)),
        subject_kind: "activity".to_owned(),
        subject_id: uuid::Uuid::now_v7().to_string(),
        ..broadcast(&world)
    };
    let made = begin(&world, request.clone()).await;
    assert_eq!((made.state(), made.changes[0].actor.as_ref().unwrap().subject.as_str()), (pb::BroadcastState::Scheduled, "ops-1"));
    let (done, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    let progress = done.progress.unwrap();
    assert_eq!((progress.household_count, progress.message_count, progress.page_count), (1800, 1800, 2));
    assert_eq!((progress.estate_count, progress.estate_done_count, done.is_late), (1, 1, false));
    assert!(done.end_time.as_ref().and_then(timestamp).unwrap() < due);
    assert_eq!(
        report.messages,
        [pb::BroadcastMessageCount { state: pb::MessageState::Delivered.into(), count: 1800, ..Default::default() }]
    );
    assert_eq!(told(&world, &made.id).await.len(), 1800);
    assert_eq!(facts(&world, &made.id).await, ["BroadcastStarted", "BroadcastDone"]);
    let pool = world.database.superuser().await.unwrap();
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.timers").fetch_one(&pool).await.unwrap();
    assert_eq!(timers, 0, "nothing is left to do");

    let owner = homes[1700].customer.unwrap();
    let owner = Caller::new(&Claims::customer("owner", owner).role("resident").estate(world.estate));
    let item = world.items(&owner, 1).await.remove(0);
    assert_eq!((item.body.as_str(), item.subject_id), ("你好 https://example.org/forum", request.subject_id.clone()));
    let list = pb::ListMessagesRequest { broadcast_id: made.id.clone(), page_size: 200, ..Default::default() };
    let listed = world.messages().list_messages(world.manager().asks(list)).await.unwrap().into_inner();
    assert!(listed.messages.len() == 200 && listed.messages.iter().all(|message| message.broadcast_id == made.id));
    assert!(!listed.next_page_token.is_empty());
}

/// NT-13: what is not done when it is due says so, is done all the same, and stays late.
#[tokio::test]
async fn a_broadcast_that_is_not_done_when_due_is_late() {
    let world = with_notice(pb::MessageClass::Service).await;
    move_in(&world, world.estate, 3);
    world.situations.1.lock().unwrap().is_down = true;
    let due = world.now() + jiff::SignedDuration::from_secs(60);
    let made = begin(&world, pb::CreateBroadcastRequest { due_time: Some(to_timestamp(due)), ..broadcast(&world) }).await;
    until_listed(&world, 1).await;
    world.advance(61);
    eventually("the note", || async { get(&world, &made.id).await.0.is_late.then_some(()) }).await;
    assert_eq!(facts(&world, &made.id).await, ["BroadcastLate"]);
    world.situations.1.lock().unwrap().is_down = false;
    world.advance(300);
    let (done, _) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert!(done.is_late);
    assert_eq!(told(&world, &made.id).await.len(), 3);
}

/// NT-46: after the answer no page more is written; who stopped it and why is kept; its etag is not moved by pages.
#[tokio::test]
async fn a_stopped_broadcast_tells_nobody_more() {
    let world = with_notice(pb::MessageClass::Service).await;
    move_in(&world, world.estate, 2500);
    let gate = hold_lists(&world);
    let made = begin(&world, broadcast(&world)).await;
    gate.add_permits(1);
    // The second page is being made: its households are asked for.
    until_listed(&world, 2).await;
    let (running, _) = get(&world, &made.id).await;
    assert_eq!((running.state(), running.progress.unwrap().message_count), (pb::BroadcastState::Running, 1000));
    let paused = pb::PauseBroadcastRequest {
        request_id: request_id(),
        broadcast_id: made.id.clone(),
        etag: running.etag.clone(),
        reason: String::new(),
    };
    let paused = client(&world).pause_broadcast(world.operations().asks(paused)).await.unwrap().into_inner().broadcast.unwrap();
    assert_eq!(paused.state(), pb::BroadcastState::Paused);
    let stale = pb::StopBroadcastRequest { etag: running.etag, ..stop(&made.id) };
    assert_eq!(refused(client(&world).stop_broadcast(world.operations().asks(stale)).await), (Code::Aborted, "STALE_ETAG".to_owned()));
    let resume = pb::ResumeBroadcastRequest { request_id: request_id(), broadcast_id: made.id.clone(), ..Default::default() };
    let resumed = client(&world).resume_broadcast(world.operations().asks(resume)).await.unwrap().into_inner().broadcast.unwrap();
    assert_eq!(resumed.state(), pb::BroadcastState::Running);
    let request = pb::StopBroadcastRequest { etag: resumed.etag, ..stop(&made.id) };
    let stopped = client(&world).stop_broadcast(world.operations().asks(request.clone())).await.unwrap().into_inner();
    gate.add_permits(100);
    let again = client(&world).stop_broadcast(world.operations().asks(request)).await.unwrap().into_inner();
    assert_eq!(again, stopped, "the same request answers the same");
    world.advance(600);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(told(&world, &made.id).await.len(), 1000);
    let (kept, report) = get(&world, &made.id).await;
    assert_eq!((kept.state(), report.household_count), (pb::BroadcastState::Stopped, 1000));
    let last = kept.changes.last().unwrap();
    assert_eq!((last.kind(), last.reason.as_str()), (pb::BroadcastChangeKind::Stopped, "wrong date"));
    assert_eq!(kept.changes.len(), 4);
    assert_eq!(facts(&world, &made.id).await, ["BroadcastStarted", "BroadcastStopped"]);
    let refusal = refused(client(&world).stop_broadcast(world.operations().asks(stop(&made.id))).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "BROADCAST_STATE_FORBIDS".to_owned()));
}

/// A broadcast for later waits for its start; paused and set going again it goes on where it stood.
#[tokio::test]
async fn a_broadcast_begins_at_its_start_and_goes_on_where_it_stood() {
    let world = with_notice(pb::MessageClass::Service).await;
    move_in(&world, world.estate, 1200);
    let start = world.now() + jiff::SignedDuration::from_hours(2);
    let made = begin(&world, pb::CreateBroadcastRequest { start_time: Some(to_timestamp(start)), ..broadcast(&world) }).await;
    world.advance(3600);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.situations.1.lock().unwrap().listed, 0);
    let gate = hold_lists(&world);
    world.advance(3601);
    gate.add_permits(1);
    until_listed(&world, 2).await;
    let pause = pb::PauseBroadcastRequest { request_id: request_id(), broadcast_id: made.id.clone(), ..Default::default() };
    client(&world).pause_broadcast(world.operations().asks(pause)).await.unwrap();
    gate.add_permits(100);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(told(&world, &made.id).await.len(), 1000);
    let resume = pb::ResumeBroadcastRequest { request_id: request_id(), broadcast_id: made.id.clone(), ..Default::default() };
    client(&world).resume_broadcast(world.operations().asks(resume)).await.unwrap();
    let (done, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!((told(&world, &made.id).await.len(), report.told_already_count), (1200, 0));
    assert_eq!(done.changes.iter().map(pb::BroadcastChange::kind).collect::<Vec<_>>().len(), 3);
}

/// Everything that would hold a broadcast up later is refused when it is created, all faults at once; a repetition answers the same.
#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_once() {
    let world = with_notice(pb::MessageClass::Service).await;
    let ops = world.operations();
    let faulty = pb::CreateBroadcastRequest {
        audience: Some(ask::equals("household.colour", ["red"])),
        exclusions: vec![exclusion("told", ask::equals("household.is_renovating", ["yes"]))],
        variables: [("phone".to_owned(), "x".to_owned())].into(),
        due_time: Some(to_timestamp(world.now())),
        ..broadcast(&world)
    };
    let faults = bad_fields(client(&world).create_broadcast(ops.asks(faulty)).await);
    let reasons: Vec<(&str, &str)> = faults.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("audience.condition.field", "PREDICATE_FIELD_UNKNOWN"),
            ("exclusions[0].predicate.condition.values[0]", "PREDICATE_VALUE_TYPE"),
            ("variables[name]", "VARIABLE_MISSING"),
            ("variables[phone]", "VARIABLE_UNDECLARED"),
            ("due_time", "TIME_NOT_PLAUSIBLE"),
        ]
    );
    let unknown = pb::CreateBroadcastRequest { template_key: "nothing".to_owned(), ..broadcast(&world) };
    let refusal = refused(client(&world).create_broadcast(ops.asks(unknown)).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "TEMPLATE_NOT_ACTIVE".to_owned()));
    let resident = refused(client(&world).create_broadcast(world.resident().asks(broadcast(&world))).await);
    assert_eq!(resident.0, Code::PermissionDenied);

    let later = Some(to_timestamp(at("2027-01-01T00:00:00Z")));
    let request = pb::CreateBroadcastRequest { start_time: later, ..broadcast(&world) };
    let first = client(&world).create_broadcast(ops.asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(client(&world).create_broadcast(ops.asks(request.clone())).await.unwrap().into_inner(), first);
    let other = pb::CreateBroadcastRequest { title: "Another".to_owned(), ..request };
    let reused = refused(client(&world).create_broadcast(ops.asks(other)).await);
    assert_eq!(reused, (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
}

pub(crate) fn exclusion(code: &str, predicate: Predicate) -> pb::BroadcastExclusion {
    pb::BroadcastExclusion { code: code.to_owned(), predicate: Some(predicate) }
}

/// A broadcast is the caller's when all of its estates are: a manager neither tells another estate nor sees or stops what tells it.
#[tokio::test]
async fn a_broadcast_stays_within_the_callers_estates() {
    let world = with_notice(pb::MessageClass::Service).await;
    let other = EstateId::new();
    world.register_estate(other).await;
    let later = Some(to_timestamp(at("2027-01-01T00:00:00Z")));
    let both = pb::CreateBroadcastRequest {
        estate_ids: [world.estate, other, world.estate].map(|id| id.to_string()).to_vec(),
        start_time: later,
        ..broadcast(&world)
    };
    let refusal = refused(client(&world).create_broadcast(world.manager().asks(both.clone())).await);
    assert_eq!(refusal.0, Code::NotFound);
    let of_both = begin(&world, both).await;
    assert_eq!(of_both.estate_ids.len(), 2, "an estate that is there twice is told once");
    let own = pb::CreateBroadcastRequest { start_time: later, ..broadcast(&world) };
    let own = client(&world).create_broadcast(world.manager().asks(own)).await.unwrap().into_inner().broadcast.unwrap();

    let list = |caller: Caller| {
        let world = &world;
        async move {
            let found = client(world).list_broadcasts(caller.asks(pb::ListBroadcastsRequest::default())).await.unwrap();
            found.into_inner().broadcasts.into_iter().map(|broadcast| broadcast.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(world.manager()).await, std::slice::from_ref(&own.id));
    assert_eq!(list(world.operations()).await, [own.id.clone(), of_both.id.clone()]);
    let hidden = pb::GetBroadcastRequest { broadcast_id: of_both.id.clone() };
    let refusal = refused(client(&world).get_broadcast(world.manager().asks(hidden)).await);
    assert_eq!(refusal.0, Code::NotFound);
    assert_eq!(refused(client(&world).stop_broadcast(world.manager().asks(stop(&of_both.id))).await).0, Code::NotFound);
    client(&world).stop_broadcast(world.manager().asks(stop(&own.id))).await.unwrap();
    let stopped = pb::ListBroadcastsRequest {
        estate_id: world.estate.to_string(),
        state: pb::BroadcastState::Stopped.into(),
        page_size: 1,
        ..Default::default()
    };
    let stopped = client(&world).list_broadcasts(world.operations().asks(stopped)).await.unwrap().into_inner();
    assert_eq!(stopped.broadcasts.iter().map(|broadcast| &broadcast.id).collect::<Vec<_>>(), [&own.id]);
}
