//! Figures that were counted before are those that counting now would give, whatever was written meanwhile, by whom, and whatever
//! time it is (`kit-store/docs/rollups.md`).

use steward_harness::Asked;
use steward_harness::rollups::KeptCounts;
use steward_kit::metric::{Owner, metric, metrics};
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb_metric;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{CallbackOutcome, CloseCode};
use uuid::Uuid;

use crate::metrics::{defined, march};
use crate::world::{World, at, eventually, request_id};

/// Every metric of this service.
pub(crate) fn every_definition() -> Vec<pb_metric::MetricDefinition> {
    let own = metrics().iter().filter(|one| one.owner == Owner::WorkOrder);
    let ours =
        own.map(|one| defined(one.id)).filter(|one| metric(&one.metric_id, None).is_some_and(|first| first.owner == Owner::WorkOrder));
    ours.collect()
}

impl World {
    /// The board of March, of the estate and another one.
    async fn board(&self, other: Uuid) -> Vec<pb_metric::MetricValue> {
        let mut request = self.asks_for(every_definition());
        request.estate_ids.push(other.to_string());
        request.household_bases = vec![crate::metrics::households(self, march().as_ref(), 50)];
        self.compute(request).await.unwrap()
    }

    fn kept(&self) -> KeptCounts<'_> {
        KeptCounts { db: &self.db, schema: "work_order" }
    }

    async fn spoil(&self) {
        self.kept().spoil(self.estate).await;
    }

    /// Counts anew, from the rows alone.
    async fn counted_anew(&self, other: Uuid) -> Vec<pb_metric::MetricValue> {
        self.kept().forget().await;
        self.board(other).await
    }

    /// Timers that the clock made due have written what they write.
    async fn settled(&self) {
        let settled = || async { self.kept().is_settled(self.now()).await.then_some(()) };
        eventually("timers are fired", settled).await;
    }

    /// What a board shows after a change is what counting from the rows gives; the next change finds spoilt counts.
    async fn follows(&self, other: Uuid, what: &str) {
        self.settled().await;
        let shown = self.board(other).await;
        assert_eq!(shown, self.counted_anew(other).await, "{what}");
        self.spoil().await;
    }

    async fn convert(&self, id: &str, kind: common::WorkOrderKind) {
        let request = pb::ClassifyWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            kind: kind.into(),
            category: "cleaning.poor_cleaning".to_owned(),
            urgency: common::Urgency::L2.into(),
            reason: "a request after all".to_owned(),
            ..Default::default()
        };
        self.orders().classify_work_order(self.desk().asks(request)).await.unwrap();
    }

    async fn suspend_and_resume(&self, id: &str) {
        let suspend = pb::SuspendWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            reason: common::SuspensionReason::Customer.into(),
            ..Default::default()
        };
        self.orders().suspend_work_order(self.wang().asks(suspend)).await.unwrap();
        self.advance(90);
        let resume = pb::ResumeWorkOrderRequest { work_order_id: id.to_owned(), request_id: request_id(), etag: String::new() };
        self.orders().resume_work_order(self.wang().asks(resume)).await.unwrap();
    }
}

/// M8: after every kind of write the board is what the rows say, though each time what was kept before had been spoilt.
#[tokio::test]
async fn a_board_follows_every_write() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let id = world.create(world.complaint()).await.id;
    world.board(other).await;
    world.spoil().await;
    let values = world.board(other).await;
    let unchanged = values.iter().find(|value| value.metric_id == "complaint_count" && !value.estate_id.is_empty()).unwrap();
    assert_eq!(unchanged.numerator, 7, "what nobody changed is not counted again: {unchanged:?}");

    let repair = world.create(world.burst_pipe()).await.id;
    world.follows(other, "created").await;
    world.assign(&id, "wang").await.unwrap();
    world.follows(other, "assigned").await;
    world.suspend_and_resume(&id).await;
    world.follows(other, "suspended and resumed").await;
    world.convert(&id, common::WorkOrderKind::Request).await;
    world.follows(other, "converted").await;
    world.work_off(&repair).await;
    world.follows(other, "completed").await;
    world.advance(60);
    world.call_back(&repair, CallbackOutcome::Reached, 1).await;
    world.follows(other, "reopened by its callback").await;
    world.clock.set(at("2026-03-10T02:00:00Z"));
    world.settled().await;
    world.work_off(&repair).await;
    world.call_back(&repair, CallbackOutcome::Reached, 5).await;
    world.close(&repair, CloseCode::Resolved).await;
    world.follows(other, "closed").await;
    let withdrawn = world.create(world.complaint()).await.id;
    world.follows(other, "a neighbour").await;
    world.cancel(&withdrawn, CloseCode::Withdrawn).await;
    world.follows(other, "withdrawn").await;

    // In April the month is over; it changes all the same.
    world.clock.set(at("2026-04-02T02:00:00Z"));
    world.follows(other, "over").await;
    let late =
        pb::CreateWorkOrderRequest { occur_time: Some(steward_kit::proto::to_timestamp(at("2026-03-31T10:00:00Z"))), ..world.complaint() };
    world.create(late).await;
    world.follows(other, "a late entry").await;
    // The same unit reports the same matter again: what was closed in March was not the end of it.
    let repeated = |values: &[pb_metric::MetricValue]| {
        values.iter().find(|value| value.metric_id == "repeat_rate" && !value.estate_id.is_empty()).unwrap().numerator
    };
    let before = repeated(&world.counted_anew(other).await);
    world.spoil().await;
    world.create(world.burst_pipe()).await;
    let after = world.board(other).await;
    assert_eq!(repeated(&after), before + 1, "March has one repetition more");
    assert_eq!(after, world.counted_anew(other).await, "a repetition");
    // An estate that nothing happened to was counted once, and is not counted again.
    world.spoil().await;
    let elsewhere = pb::CreateWorkOrderRequest { unit_id: world.another_unit().await.to_string(), ..world.burst_pipe() };
    world.create(elsewhere).await;
    let kept = world.board(other).await;
    let march_is_kept = kept.iter().any(|value| value.metric_id == "complaint_count" && value.numerator == 7);
    assert!(march_is_kept, "an order of April in another household does not touch March");
}

/// M8: a deadline passes, and nobody writes anything.
#[tokio::test]
async fn time_alone_changes_a_board() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let due = steward_kit::proto::timestamp(crate::world::clock(&world.get(&id).await, "arrive", 1).due_time.as_ref().unwrap()).unwrap();
    let arrived = |values: &[pb_metric::MetricValue]| {
        let value = values.iter().find(|value| value.metric_id == "timely_rate.arrive" && !value.estate_id.is_empty()).unwrap();
        (value.numerator, value.denominator)
    };
    // Without timers: of the rows nothing changes but the time.
    sqlx::query("DELETE FROM work_order.timers").execute(&world.db).await.unwrap();
    world.clock.set(due - jiff::SignedDuration::from_secs(1));
    assert_eq!(arrived(&world.board(other).await), (0, 0), "not due yet");
    world.clock.set(due);
    let late = world.board(other).await;
    assert_eq!(arrived(&late), (0, 1));
    assert_eq!(late, world.counted_anew(other).await);
    // And back: another replica's clock may be a little behind.
    world.clock.set(due - jiff::SignedDuration::from_secs(1));
    assert_eq!(arrived(&world.board(other).await), (0, 0));
}

/// M8: what was not committed yet when a count was made is not in it, and is seen as soon as it is committed.
#[tokio::test]
async fn a_write_in_flight_is_not_forgotten() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let id: Uuid = world.create(world.complaint()).await.id.parse().unwrap();
    let complaints = |values: &[pb_metric::MetricValue]| {
        values.iter().find(|value| value.metric_id == "complaint_count" && !value.estate_id.is_empty()).unwrap().numerator
    };
    let mut writer = world.db.begin().await.unwrap();
    sqlx::query("UPDATE work_order.case_facts SET standing = 'error' WHERE work_order_id = $1")
        .bind(id)
        .execute(&mut *writer)
        .await
        .unwrap();
    assert_eq!(complaints(&world.board(other).await), 1);
    // A later transaction is committed first, and counted.
    let second = world.create(world.complaint()).await.id;
    assert_eq!(complaints(&world.board(other).await), 2);
    sqlx::query("SELECT work_order.tend_figures('2026-01-01Z')").execute(&world.db).await.unwrap();
    assert_eq!(complaints(&world.board(other).await), 2);
    writer.commit().await.unwrap();
    assert_eq!(complaints(&world.board(other).await), 1, "the earlier transaction, committed last");
    world.cancel(&second, CloseCode::Withdrawn).await;
    assert_eq!(world.board(other).await, world.counted_anew(other).await);
}

/// M8: a board that was counted before is one trip, however many cases there are; what comes of them is a few hundred bytes.
#[tokio::test]
async fn a_warm_board_is_one_trip_whatever_the_number_of_cases() {
    let log = Asked::default();
    let world = World::through(async |upstream| log.proxy(upstream).await.unwrap()).await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let asked = || {
        let is_counting = |sql: &String| sql.contains("figure_tallies") || sql.contains("case_facts f") || sql.contains("clocks c");
        // The job that counts ahead looks for what is not true any more.
        let all = log.take().into_iter().filter(|sql| is_counting(sql) && !sql.starts_with("SELECT w.place, t.until_time"));
        all.collect::<Vec<_>>()
    };
    let bytes = || async {
        let sql = "SELECT max(octet_length(tallies)) FROM work_order.figure_tallies";
        sqlx::query_scalar::<_, i32>(sql).fetch_one(&world.db).await.unwrap()
    };
    asked();
    world.board(other).await;
    let cold = asked();
    // One chunk: what is kept, a query for each cohort, and what they came to; Occurred and Closed come with their neighbours.
    assert_eq!(cold.len(), 9, "{cold:#?}");
    world.board(other).await;
    let warm = asked();
    assert_eq!(warm.len(), 1, "{warm:#?}");
    assert!(warm[0].starts_with("SELECT w.place, t.tallies"), "{warm:#?}");

    let first = bytes().await;
    crate::metric_scale::fill(&world, &[world.estate], "2026-02-28T16:00:00Z", 2000).await;
    let counted = world.board(other).await;
    let is_one_trip = || async {
        asked();
        assert_eq!(world.board(other).await, counted);
        (asked().len() == 1).then_some(())
    };
    eventually("the job has nothing to count", is_one_trip).await;
    assert!(bytes().await < first + 200, "{} bytes, {first} without cases", bytes().await);
}

/// M8: what boards ask for is counted before they ask again; and what everybody has seen is forgotten.
#[tokio::test]
async fn what_was_asked_for_lately_is_counted_ahead() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    world.create(world.complaint()).await;
    world.board(other).await;
    let fresh = || async {
        let sql = "SELECT count(*) FROM work_order.figure_tallies t, work_order.figure_horizon h WHERE work_order.is_figure_fresh(t, h)";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&world.db).await.unwrap()
    };
    let all = fresh().await;
    world.spoil().await;
    world.create(world.complaint()).await;
    assert!(fresh().await < all, "the estate is to be counted again");
    eventually("it is counted ahead", || async { (fresh().await == all).then_some(()) }).await;
    let ahead = world.board(other).await;
    assert_eq!(ahead, world.counted_anew(other).await);

    let changes =
        || async { sqlx::query_scalar::<_, i64>("SELECT count(*) FROM work_order.figure_changes").fetch_one(&world.db).await.unwrap() };
    assert!(changes().await > 0);
    // Transactions of other tests hold it back: the round after the next one will do.
    let are_forgotten = || async {
        world.advance(11);
        (changes().await == 0).then_some(())
    };
    eventually("changes are forgotten", are_forgotten).await;
    world.settled().await;
    assert_eq!(world.board(other).await, world.counted_anew(other).await);
}
