//! The figures that care owns, from facts that came in by its RPCs, and the rows behind them.

use jiff::civil::date;
use steward_kit::ids::MessageId;
use steward_kit::predicate::Fact;
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as care;
use steward_proto::metric::v1 as pb;
use steward_proto::notification::v1 as notification;

use crate::planning::message;
use crate::touchpoints::about;
use crate::world::{World, eventually, request_id};

pub(crate) fn definition(metric_id: &str) -> pb::MetricDefinition {
    pb::MetricDefinition { metric_id: metric_id.to_owned(), version: 1, ..Default::default() }
}

pub(crate) fn march() -> Option<pb::MetricPeriod> {
    Some(pb::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() })
}

/// F-08b: of twenty active households seventeen answered; bulletins that arrived add nothing. The rows explain the figure.
#[tokio::test]
async fn talks_that_were_answered_cover_a_month() {
    let world = World::new().await;
    let all: Vec<_> = (0..20).map(|_| world.households.add(date(2025, 3, 1))).collect();
    world.advance(60);
    for household in &all[..17] {
        let request = care::RecordContactRequest {
            request_id: request_id(),
            estate_id: world.estate.to_string(),
            household_id: household.id.to_string(),
            way: care::ContactWay::Phone.into(),
            purpose: "relationship".to_owned(),
            is_two_way: true,
            ..Default::default()
        };
        world.relationships().record_contact(world.steward().asks(request)).await.unwrap();
    }
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: march(),
        plan_code: "lifecycle-butler".to_owned(),
        definitions: vec![definition("relationship_callback_coverage")],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    let own = values.iter().find(|value| value.estate_id == world.estate.to_string()).unwrap();
    assert_eq!((own.numerator * 20, own.denominator * 17), (own.denominator * 17, own.numerator * 20), "{own:?}");
    assert_eq!(own.display, "85.0", "{own:?}");
    assert_eq!(values.len(), 2, "and one over all estates");

    let explain = |page_token: String| pb::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: march(),
        metric_id: "relationship_callback_coverage".to_owned(),
        definition: Some(definition("relationship_callback_coverage")),
        page_size: 10,
        page_token,
        ..Default::default()
    };
    let first = world.metrics().explain_metric(world.operations().asks(explain(String::new()))).await.unwrap().into_inner();
    let second = world.metrics().explain_metric(world.operations().asks(explain(first.next_page_token))).await.unwrap().into_inner();
    assert_eq!((first.rows.len(), second.rows.len(), second.next_page_token.as_str()), (10, 7, ""));
}

/// F-09, CA-02, CA-06, F-10: households that the month's bulletin reached, by those eligible; messages that arrived, by those that were
/// to go. A receipt is what counts. Of two homes that are not handed over one was reached and one opted out: neither is of the rate.
#[tokio::test]
async fn care_that_arrived_covers_households() {
    let world = World::new().await;
    let all: Vec<_> = (0..10).map(|_| world.households.add(date(2025, 3, 1))).collect();
    let early: Vec<_> = (0..2).map(|_| world.households.add(date(2026, 10, 1))).collect();
    for household in &early {
        world.households.set(household.id, "household.is_delivered", Fact::Boolean(false));
    }
    let anchor = care::anchor::Kind::Recurrence(care::RecurrenceAnchor { every: care::Recurrence::Month.into() });
    let everyone = Some(care::Audience { kind: Some(care::audience::Kind::Everyone(care::Everyone {})) });
    let bulletin = care::TouchpointDefinition { audience: everyone, exclusions: Vec::new(), ..message("bulletin", anchor) };
    world.publish_programme("bulletin", vec![bulletin]).await;
    for household in all.iter().chain(&early) {
        world.until(household.id, care::TouchpointState::Planned).await;
    }
    world.go_to("2026-03-01T01:00:00Z");
    for household in all[..8].iter().chain(&early[..1]) {
        let acted = world.until(household.id, care::TouchpointState::Acted).await;
        receipt(&world, &acted.id).await;
        world.until(household.id, care::TouchpointState::Confirmed).await;
    }
    let declined = world.until(early[1].id, care::TouchpointState::Acted).await;
    let reason = notification::SuppressReason::NoConsent.into();
    let suppressed = notification::MessageSuppressed { message: Some(about(&world, &declined.id)), reason };
    world.publish("notification", vec![NewEvent::new(MessageId::new(), world.estate, world.now(), &suppressed)]).await;
    world.until(early[1].id, care::TouchpointState::Suppressed).await;
    let base = pb::HouseholdBase {
        estate_id: world.estate.to_string(),
        basis: pb::HouseholdBasis::Delivered.into(),
        from_date: "2026-01-01".to_owned(),
        to_date: "2026-03-31".to_owned(),
        household_days: 10,
        days: 1,
    };
    let of_march = pb::HouseholdBase { from_date: "2026-03-01".to_owned(), ..base.clone() };
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: march(),
        definitions: vec![definition("care_coverage"), definition("reach_rate"), definition("visit_conformity")],
        household_bases: vec![base, of_march],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    let shown = |metric: &str| {
        let value = values.iter().find(|value| value.metric_id == metric && !value.estate_id.is_empty()).unwrap();
        (value.display.clone(), value.verdict())
    };
    assert_eq!(shown("care_coverage").0, "80.0");
    assert_eq!(shown("reach_rate").0, "75.0", "nine of twelve messages");
    assert_eq!(shown("visit_conformity").1, pb::MetricVerdict::NoData, "never 0 or 100");
}

/// CA-08, F-10: of ten messages five arrived in March and seven in April: the reach rate rose by 40 % of what it was.
#[tokio::test]
async fn the_reach_rate_rises_from_one_month_to_the_next() {
    let world = World::new().await;
    let all: Vec<_> = (0..10).map(|_| world.households.add(date(2025, 3, 1))).collect();
    let anchor = care::anchor::Kind::Recurrence(care::RecurrenceAnchor { every: care::Recurrence::Month.into() });
    world.publish_programme("bulletin", vec![message("bulletin", anchor)]).await;
    for (first, arrived) in [("2026-03-01T01:00:00Z", 5), ("2026-04-01T01:00:00Z", 7)] {
        for household in &all {
            world.until(household.id, care::TouchpointState::Planned).await;
        }
        world.go_to(first);
        for (position, household) in all.iter().enumerate() {
            let acted = world.until(household.id, care::TouchpointState::Acted).await;
            if position < arrived {
                receipt(&world, &acted.id).await;
            }
        }
        eventually("the receipts", || async {
            let sql = "SELECT count(*) FROM care.touchpoints WHERE state = 'confirmed' AND sort_time = $1::timestamptz";
            let count: i64 = sqlx::query_scalar(sql).bind(first).fetch_one(&world.db).await.unwrap();
            (count == arrived as i64).then_some(())
        })
        .await;
        // The next month is planned once this one's day is over.
        for day in ["02", "03"] {
            let then = first.replace("-01T01", &format!("-{day}T02"));
            world.go_to(&then);
            world.until_planned(&then[..10]).await;
        }
    }
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: Some(pb::MetricPeriod { from_date: "2026-04-01".to_owned(), to_date: "2026-04-30".to_owned() }),
        definitions: vec![definition("reach_rate"), definition("reach_rate_lift")],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    let of = |metric: &str| values.iter().find(|value| value.metric_id == metric && !value.estate_id.is_empty()).unwrap();
    assert_eq!(of("reach_rate").display, "70.0");
    let lift = of("reach_rate_lift");
    assert_eq!(lift.numerator * 10, lift.denominator * 4, "{lift:?}");
}

/// A receipt for the message of a touchpoint.
pub(crate) async fn receipt(world: &World, touchpoint: &str) {
    let delivered = notification::MessageDelivered { message: Some(about(world, touchpoint)), ..Default::default() };
    world.publish("notification", vec![NewEvent::new(MessageId::new(), world.estate, world.now(), &delivered)]).await;
}
