//! Figures that were counted before are those that counting now would give, whatever was written meanwhile, and by whom
//! (`kit-store/docs/rollups.md`).

use jiff::civil::date;
use steward_harness::rollups::{KeptCounts, without_time};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Owner, metrics};
use steward_kit::predicate::Fact;
use steward_proto::care::v1 as care;
use steward_proto::metric::v1 as pb;

use crate::metrics::{definition, march, receipt};
use crate::planning::message;
use crate::world::{World, eventually, request_id};

/// Every metric of this service, over the days that are asked about.
fn every_definition() -> Vec<pb::MetricDefinition> {
    let own = metrics().iter().filter(|one| one.owner == Owner::Care);
    own.map(|one| pb::MetricDefinition { period: pb::MetricPeriodKind::Month.into(), ..definition(one.id) }).collect()
}

impl World {
    fn kept(&self) -> KeptCounts<'_> {
        KeptCounts { db: &self.db, schema: "care" }
    }

    /// The board of March, of the estate and another one.
    async fn board(&self, other: EstateId) -> Vec<pb::MetricValue> {
        let base = |estate: EstateId, count| pb::HouseholdBase {
            estate_id: estate.to_string(),
            basis: pb::HouseholdBasis::Delivered.into(),
            from_date: "2026-03-01".to_owned(),
            to_date: "2026-03-31".to_owned(),
            household_days: count,
            days: 1,
        };
        let request = pb::ComputeMetricsRequest {
            estate_ids: [self.estate, other].iter().map(ToString::to_string).collect(),
            period: march(),
            plan_code: "test".to_owned(),
            definitions: every_definition(),
            household_bases: vec![base(self.estate, 40), base(other, 10)],
            ..Default::default()
        };
        without_time(self.metrics().compute_metrics(self.operations().asks(request)).await.unwrap().into_inner().values)
    }

    /// What a board shows after a change is what counting from the rows gives, and is another than before; the next change finds
    /// spoilt counts.
    async fn follows(&self, other: EstateId, before: &mut Vec<pb::MetricValue>, what: &str) {
        let settled = || async { self.kept().is_settled(self.now()).await.then_some(()) };
        eventually("timers are fired", settled).await;
        let shown = self.board(other).await;
        assert_ne!(shown, *before, "{what} changes something");
        self.kept().forget().await;
        assert_eq!(shown, self.board(other).await, "{what}");
        *before = shown;
        self.kept().spoil(self.estate.as_uuid()).await;
    }

    async fn by_hand(&self, sql: &'static str) {
        let written = sqlx::query(sql).bind(self.estate.as_uuid()).execute(&self.db).await.unwrap();
        assert!(written.rows_affected() > 0, "{sql}");
    }
}

/// M8: after every kind of write the board is what the rows say, though each time what was kept before had been spoilt.
#[tokio::test]
async fn a_board_follows_every_write() {
    let world = World::new().await;
    let other = EstateId::new();
    world.register_estate(other).await;
    let home = world.households.add(date(2025, 3, 1));
    let early = world.households.add(date(2026, 10, 1));
    world.households.set(early.id, "household.is_delivered", Fact::Boolean(false));
    let mut seen = world.board(other).await;
    world.kept().spoil(world.estate.as_uuid()).await;
    let unchanged = world.board(other).await;
    let of = |values: &[pb::MetricValue], id: &str| {
        values.iter().find(|value| value.metric_id == id && value.estate_id == world.estate.to_string()).unwrap().clone()
    };
    assert_eq!(of(&unchanged, "reach_rate").denominator, 7, "what nobody changed is not counted again");
    let seen = &mut seen;

    let contact = care::RecordContactRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: home.id.to_string(),
        way: care::ContactWay::Phone.into(),
        purpose: "relationship".to_owned(),
        is_two_way: true,
        ..Default::default()
    };
    world.advance(60);
    world.relationships().record_contact(world.steward().asks(contact)).await.unwrap();
    world.follows(other, seen, "a talk").await;

    let anchor = care::anchor::Kind::Recurrence(care::RecurrenceAnchor { every: care::Recurrence::Month.into() });
    let everyone = Some(care::Audience { kind: Some(care::audience::Kind::Everyone(care::Everyone {})) });
    let bulletin = care::TouchpointDefinition { audience: everyone, exclusions: Vec::new(), ..message("bulletin", anchor) };
    world.publish_programme("bulletin", vec![bulletin]).await;
    for household in [&home, &early] {
        world.until(household.id, care::TouchpointState::Planned).await;
    }
    world.go_to("2026-03-01T01:30:00Z");
    let acted = world.until(home.id, care::TouchpointState::Acted).await;
    let too_early = world.until(early.id, care::TouchpointState::Acted).await;
    world.follows(other, seen, "messages went").await;
    receipt(&world, &acted.id).await;
    world.until(home.id, care::TouchpointState::Confirmed).await;
    world.follows(other, seen, "one arrived").await;
    let coverage = of(seen, "care_coverage");
    receipt(&world, &too_early.id).await;
    world.until(early.id, care::TouchpointState::Confirmed).await;
    world.follows(other, seen, "one arrived where nothing is handed over").await;
    assert_eq!(of(seen, "care_coverage"), coverage, "it is of no rate of homes");
    world.kept().forget().await;
    assert_eq!(world.board(other).await, *seen);
    world.households.set(early.id, "household.delivered_date", Fact::Date(date(2026, 3, 20)));
    let handed_over = world.board(other).await;
    assert_eq!(of(&handed_over, "care_coverage").n, coverage.n, "of as many homes");
    assert_ne!(of(&handed_over, "care_coverage"), coverage, "customer says so, and no count is kept of it");

    world
        .by_hand(
            "INSERT INTO care.caused_cases (estate_id, work_order_id, customer_id, campaign_code, programme_code, kind, standing, case_time,
                 update_time)
             SELECT estate_id, gen_random_uuid(), (document ->> 'customer_id')::uuid, 'bulletin', 'bulletin', 'complaint', 'valid',
                    '2026-04-10Z', now()
               FROM care.touchpoints WHERE estate_id = $1 AND state = 'confirmed' LIMIT 1",
        )
        .await;
    world.follows(other, seen, "a complaint after the month").await;
    world.by_hand("UPDATE care.caused_cases SET standing = 'invalid' WHERE estate_id = $1").await;
    world.follows(other, seen, "invalid").await;
    world.by_hand("UPDATE care.caused_cases SET standing = 'valid' WHERE estate_id = $1").await;
    world.follows(other, seen, "and not").await;
    world.by_hand("DELETE FROM care.caused_cases WHERE estate_id = $1").await;
    world.follows(other, seen, "no cause any more").await;

    world
        .by_hand(
            "INSERT INTO care.visits (estate_id, id, state, sort_time, mark_time, document, row_version, create_time, update_time)
             SELECT $1, gen_random_uuid(), 'done', '2026-03-02Z', '2026-03-02Z',
                    '{\"conformity\": {\"notice\": true, \"duration\": true, \"form\": true, \"training\": true, \"kit\": true}}', 1, now(), now()",
        )
        .await;
    world.follows(other, seen, "a visit").await;
    world.by_hand("UPDATE care.visits SET document = jsonb_set(document, '{conformity,form}', 'false') WHERE estate_id = $1").await;
    world.follows(other, seen, "its form came late").await;
    world.by_hand("DELETE FROM care.visits WHERE estate_id = $1").await;
    world.follows(other, seen, "no visit").await;

    world
        .by_hand(
            "WITH batch AS (
                 INSERT INTO care.delivery_batches (estate_id, id, state, sort_time, unique_key, document, row_version, create_time, update_time)
                 VALUES ($1, gen_random_uuid(), 'open', '2026-03-05Z', 'B1', '{\"from_date\": \"2026-03-05\", \"to_date\": \"2026-03-09\"}', 1,
                         now(), now())
                 RETURNING estate_id, id)
             INSERT INTO care.batch_units (estate_id, batch_id, unit_id, notice_time, tracking_number, defect_count, is_first_visit,
                 delivered_items)
             SELECT estate_id, id, gen_random_uuid(), '2026-03-01Z', '', 2, true, '{}' FROM batch",
        )
        .await;
    world.follows(other, seen, "a batch").await;
    world.by_hand("UPDATE care.batch_units SET handover_date = '2026-03-06' WHERE estate_id = $1").await;
    world.follows(other, seen, "handed over").await;
    world.by_hand("UPDATE care.delivery_batches SET sort_time = '2026-04-05Z' WHERE estate_id = $1").await;
    world.follows(other, seen, "another month").await;
    world.by_hand("UPDATE care.delivery_batches SET sort_time = '2026-03-05Z' WHERE estate_id = $1").await;
    world.follows(other, seen, "and back").await;
    world.by_hand("DELETE FROM care.batch_units WHERE estate_id = $1").await;
    world.follows(other, seen, "no unit").await;

    world.by_hand("UPDATE care.touchpoints SET state = 'held_out' WHERE estate_id = $1 AND state = 'confirmed'").await;
    world.follows(other, seen, "held out").await;
    world.by_hand("UPDATE care.contacts SET contact_time = '2026-04-02Z' WHERE estate_id = $1").await;
    world.follows(other, seen, "a talk of April").await;
    world.by_hand("DELETE FROM care.touchpoints WHERE estate_id = $1").await;
    world.follows(other, seen, "nothing was done").await;
}

/// M8: the messages of the month before are half of a lift; they change it after the month is over too.
#[tokio::test]
async fn what_lies_before_a_period_is_seen() {
    let world = World::new().await;
    let other = EstateId::new();
    world.register_estate(other).await;
    world
        .by_hand(
            "INSERT INTO care.touchpoints (estate_id, id, state, sort_time, mark_time, document, row_version, create_time, update_time)
             SELECT $1, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'confirmed' ELSE 'acted' END, at, at,
                    jsonb_build_object('action', '{\"kind\": \"message\"}'::jsonb, 'programme_code', 'bulletin'), 1, at, at
               FROM generate_series(1, 10) n, unnest(ARRAY[timestamptz '2026-02-10Z', '2026-03-10Z']) AS at",
        )
        .await;
    let mut seen = world.board(other).await;
    world.kept().spoil(world.estate.as_uuid()).await;
    world.by_hand("UPDATE care.touchpoints SET state = 'confirmed' WHERE estate_id = $1 AND sort_time < '2026-03-01Z'").await;
    world.follows(other, &mut seen, "February").await;
}
