//! What complaints that name a campaign say of it: work-order tells of them, and care knows whom the campaign reached.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use steward_kit::ids::{MessageId, WorkOrderId};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as care;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb;
use steward_proto::notification::v1 as notification;
use steward_proto::work_order::v1 as orders;
use steward_proto::work_order::v1::caused_by::Cause;
use uuid::Uuid;

use crate::households::Household;
use crate::planning::message;
use crate::touchpoints::about;
use crate::world::{World, at, eventually};

/// A campaign that begins on 1 March, and whether its message reached each of these.
async fn campaign(world: &World, reached: &[bool]) -> Vec<(Household, String)> {
    let all: Vec<_> = reached.iter().map(|_| world.households.add(date(2025, 3, 1))).collect();
    let anchor = care::anchor::Kind::Recurrence(care::RecurrenceAnchor { every: care::Recurrence::Month.into() });
    world.publish_programme("promo", vec![message("promo", anchor)]).await;
    for household in &all {
        world.until(household.id, care::TouchpointState::Planned).await;
    }
    world.go_to("2026-03-01T01:00:00Z");
    let mut sent = Vec::new();
    for (household, arrives) in all.into_iter().zip(reached) {
        let acted = world.until(household.id, care::TouchpointState::Acted).await;
        if *arrives {
            let delivered = notification::MessageDelivered { message: Some(about(world, &acted.id)), ..Default::default() };
            world.publish("notification", vec![NewEvent::new(MessageId::new(), world.estate, world.now(), &delivered)]).await;
            world.until(household.id, care::TouchpointState::Confirmed).await;
        }
        sent.push((household, acted.id));
    }
    sent
}

/// A case of somebody, as work-order tells of it.
struct Case<'a> {
    world: &'a World,
    id: WorkOrderId,
    facts: orders::OrderFacts,
}

impl<'a> Case<'a> {
    fn of(world: &'a World, customer: Uuid, unit: Uuid, cause: Cause, happened: Timestamp) -> Self {
        let id = WorkOrderId::new();
        let facts = orders::OrderFacts {
            work_order_id: id.to_string(),
            estate_id: world.estate.to_string(),
            customer_id: customer.to_string(),
            unit_id: unit.to_string(),
            kind: common::WorkOrderKind::Complaint.into(),
            caused_by: Some(orders::CausedBy { cause: Some(cause) }),
            case_time: Some(steward_kit::proto::to_timestamp(happened)),
            ..Default::default()
        };
        Self { world, id, facts }
    }

    fn told<M: prost::Message + prost::Name>(&self, fact: &M) -> NewEvent {
        NewEvent::new(self.id, self.world.estate, self.world.now(), fact)
    }

    fn created(&self) -> NewEvent {
        self.told(&orders::WorkOrderCreated { order: Some(self.facts.clone()), ..Default::default() })
    }

    fn classified(&self) -> NewEvent {
        self.told(&orders::WorkOrderClassified { order: Some(self.facts.clone()) })
    }

    fn cancelled(&self, why: orders::CloseCode) -> NewEvent {
        self.told(&orders::WorkOrderCancelled { order: Some(self.facts.clone()), close_code: why.into(), ..Default::default() })
    }
}

async fn figure(world: &World, campaign: &str, look_ahead: Option<u32>) -> pb::MetricValue {
    let look_ahead = look_ahead.map(|days| common::Span { value: days, unit: common::Unit::Day.into(), calendar: "civil".to_owned() });
    let parameters = pb::MetricParameters { programme: campaign.to_owned(), look_ahead, ..Default::default() };
    let definition = pb::MetricDefinition {
        metric_id: "campaign_complaint_rate".to_owned(),
        version: 1,
        parameters: Some(parameters),
        ..Default::default()
    };
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: Some(pb::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() }),
        definitions: vec![definition],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    values.into_iter().find(|value| !value.estate_id.is_empty()).unwrap()
}

/// F-05c, WO-67 and the edge-case matrix: of five whom the campaign reached four complained of it, one of them twice, one after an
/// inquiry was converted, one withdrew, and of one somebody else of the home did. Invalid cases, causes that were taken back, what care
/// never did and complaints of those not reached do not count; nor does what comes after the window, which is the plan's to choose.
#[tokio::test]
async fn those_whom_a_campaign_reached_complain_of_it() {
    let world = World::new().await;
    let sent = campaign(&world, &[true, true, true, true, true, false]).await;
    let campaign = || Cause::CampaignCode("promo".to_owned());
    let touchpoint = |n: usize| Cause::TouchpointId(sent[n].1.clone());
    let by = |n: usize, cause, happened| Case::of(&world, sent[n].0.customer, sent[n].0.unit, cause, happened);
    let soon = at("2026-03-05T02:00:00Z");

    let (first, again) = (by(0, touchpoint(0), soon), by(0, campaign(), soon + SignedDuration::from_hours(24)));
    let mut asked = by(1, campaign(), soon);
    asked.facts.kind = common::WorkOrderKind::Inquiry.into();
    let (invalid, withdrawn, mut mistaken) = (by(2, touchpoint(2), soon), by(3, touchpoint(3), soon), by(4, touchpoint(4), soon));
    let not_reached = by(5, touchpoint(5), soon);
    let unheard_of = by(2, Cause::TouchpointId(Uuid::now_v7().to_string()), soon);
    // The end of March and thirty days; the next one is a day late.
    let spouse = Case::of(&world, Uuid::now_v7(), sent[4].0.unit, campaign(), at("2026-04-30T15:00:00Z"));
    let late = by(2, campaign(), at("2026-05-01T15:00:00Z"));
    let created = [&first, &again, &asked, &invalid, &withdrawn, &mistaken, &not_reached, &unheard_of, &spouse, &late].map(Case::created);
    world.publish("work_order", created.to_vec()).await;
    let heard = async |count: i64| {
        eventually("the cases", || async {
            let sql = "SELECT count(*) FROM care.inbox WHERE consumer LIKE '%caused_cases'";
            let heard: i64 = sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap();
            (heard == count).then_some(())
        })
        .await;
    };
    heard(10).await;
    let before = figure(&world, "promo", None).await;
    assert_eq!((before.numerator, before.denominator), (4, 5), "0, 2, 3 and 4: {before:?}");

    asked.facts.kind = common::WorkOrderKind::Complaint.into();
    mistaken.facts.caused_by = None;
    let changed = [
        asked.classified(),
        mistaken.classified(),
        invalid.cancelled(orders::CloseCode::Invalid),
        withdrawn.cancelled(orders::CloseCode::Withdrawn),
        again.cancelled(orders::CloseCode::Duplicate),
    ];
    world.publish("work_order", changed.to_vec()).await;
    heard(15).await;
    let value = figure(&world, "promo", None).await;
    assert_eq!((value.numerator, value.denominator, value.display.as_str()), (4, 5, "80.0"), "0, 1, 3 and 4: {value:?}");
    let part = |code: &str| value.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!(part("not_delivered"), Some(1));
    for (look_ahead, complained) in [(7, 3), (60, 5)] {
        let value = figure(&world, "promo", Some(look_ahead)).await;
        assert_eq!((value.numerator, value.denominator), (complained, 5), "{look_ahead} days");
    }
    assert_eq!(figure(&world, "", None).await.numerator, 4, "every campaign");
    assert_eq!(figure(&world, "another", None).await.verdict(), pb::MetricVerdict::NoData);

    let question = pb::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: Some(pb::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() }),
        metric_id: "campaign_complaint_rate".to_owned(),
        definition: Some(pb::MetricDefinition { metric_id: "campaign_complaint_rate".to_owned(), version: 1, ..Default::default() }),
        ..Default::default()
    };
    let rows = world.metrics().explain_metric(world.operations().asks(question)).await.unwrap().into_inner().rows;
    let mut reasons: Vec<_> = rows.iter().map(|row| (row.subject_kind.as_str(), row.reason_code.as_str())).collect();
    reasons.sort_unstable();
    let complained = ("customer", "complained");
    let others = [("customer", "delivered"), ("work_order", "invalid"), ("work_order", "not_delivered")];
    assert_eq!(reasons, [[complained; 4].as_slice(), &others].concat());
}
