//! What other rules would make of the orders there are, before anybody adds them; and that adding them never judges the past anew.

use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::Verdict;
use steward_proto::work_order::v1::preview_rules_request::Rules;
use tonic::Code;

use crate::calendars::span;
use crate::reloaded_years::{dispatch, one_working_day, year_with};
use crate::world::{World, at, clock, eventually, new_version, refused, time};

impl World {
    fn preview_of(&self, rules: Rules) -> pb::PreviewRulesRequest {
        let from = steward_kit::proto::to_timestamp(at("2026-02-01T00:00:00Z"));
        pb::PreviewRulesRequest { estate_id: self.estate.to_string(), receive_time_from: Some(from), rules: Some(rules) }
    }

    /// The last answer, with the samples of all.
    async fn preview(&self, rules: Rules) -> pb::PreviewRulesResponse {
        let mut stream = self.clocks().preview_rules(self.operations().asks(self.preview_of(rules))).await.unwrap().into_inner();
        let (mut last, mut samples) = (pb::PreviewRulesResponse::default(), Vec::new());
        while let Some(answer) = stream.message().await.unwrap() {
            assert!(!last.done, "nothing follows the last answer");
            samples.extend(answer.samples.clone());
            last = answer;
        }
        assert!(last.done, "{last:?}");
        pb::PreviewRulesResponse { samples, ..last }
    }

    /// Everything that a preview could write.
    async fn written(&self) -> (i64, i64, i64) {
        let sql = "SELECT (SELECT sum(row_version) FROM work_order.work_orders)::bigint, (SELECT count(*) FROM work_order.history),
                          (SELECT count(*) FROM work_order.outbox)";
        sqlx::query_as(sql).fetch_one(&self.db).await.unwrap()
    }
}

/// Twenty minutes for the first response instead of fifteen, and a limit for closing that the estate did not have.
fn patient() -> plan::SlaPolicy {
    let rule = |clock: &str, stop, minutes| plan::ClockRule {
        clock: clock.to_owned(),
        start_on: plan::Milestone::Received.into(),
        stop_on: vec![plan::Milestone::into(stop)],
        limit: Some(span(minutes, common::Unit::Minute, "24x7")),
        ..Default::default()
    };
    plan::SlaPolicy {
        clock_rules: vec![rule("first_response", plan::Milestone::Responded, 20), rule("closing", plan::Milestone::Closed, 600)],
        ..Default::default()
    }
}

/// Lesson 4: a policy is previewed over the orders that there are: which would have been kept, which clocks come and go. Nothing is
/// written, and when it is added the orders keep what they were bound to.
#[tokio::test]
async fn a_policy_is_previewed_and_never_judges_the_past() {
    let world = World::new().await;
    let late = world.create(world.burst_pipe()).await;
    world.advance(17);
    eventually("the breach", || async { (world.count_late("first_response").await == 1).then_some(()) }).await;
    let open = world.create(world.burst_pipe()).await;
    let before = world.written().await;
    let document = plan::PolicyDocument { document: Some(Document::Sla(patient())) };
    let seen = world.preview(Rules::Policy(document.clone())).await;
    assert_eq!((seen.order_count, seen.skipped_order_count), (2, 0));
    assert_eq!((seen.newly_late_count, seen.no_longer_late_count), (0, 1), "17 minutes are late of 15, and in time of 20");
    let moved = seen.samples.iter().filter(|sample| sample.clock == "first_response" && sample.due_time != sample.new_due_time).count();
    assert_eq!((moved, seen.added_count), (2, 2), "both responses move, both orders get a limit for closing");
    assert!(seen.dropped_count > 0, "the estate's other clocks are not in the document: {seen:?}");
    let response = seen.samples.iter().find(|sample| sample.work_order_id == late.id && sample.clock == "first_response").unwrap();
    assert_eq!(
        (time(response.due_time.as_ref()), time(response.new_due_time.as_ref())),
        (at("2026-03-01T18:15:00Z"), at("2026-03-01T18:20:00Z"))
    );
    assert_eq!((response.verdict(), response.new_verdict()), (Verdict::Late, Verdict::Unspecified));
    assert_eq!(world.written().await, before, "a preview writes nothing");

    let version = new_version(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), Document::Sla(patient()), "");
    world.policies().create_policy_version(world.operations().asks(version)).await.unwrap();
    for order in [&late, &open] {
        let now = world.get(&order.id).await;
        assert_eq!(clock(&now, "first_response", 1).due_time, clock(order, "first_response", 1).due_time, "bound at its birth");
    }
    assert_eq!(world.count_late("first_response").await, 1);
    let newer = world.create(world.burst_pipe()).await;
    assert_eq!(time(clock(&newer, "first_response", 1).due_time.as_ref()), at("2026-03-01T18:37:00Z"));
}

/// Lesson 4: a holiday is previewed, and then moves what is open. The verdict of an order that has ended stays, and so does the
/// announcement of its breach.
#[tokio::test]
async fn a_holiday_is_previewed_and_leaves_ended_orders_alone() {
    let world = World::new().await;
    one_working_day(&world).await;
    let (open, ended) = (world.create(world.burst_pipe()).await, world.create(world.burst_pipe()).await);
    // Due at the end of Tuesday; it is Wednesday at 10:00.
    world.advance(56 * 60);
    eventually("two breaches", || async { (world.count_late("dispatch").await == 2).then_some(()) }).await;
    let cancel = pb::CancelWorkOrderRequest {
        work_order_id: ended.id.clone(),
        request_id: crate::world::request_id(),
        close_code: pb::CloseCode::Withdrawn.into(),
        reason: "caller_withdrew".to_owned(),
        ..Default::default()
    };
    world.orders().cancel_work_order(world.desk().asks(cancel)).await.unwrap();
    let before = world.written().await;
    let load = year_with("2026-03-03", None);
    let seen = world.preview(Rules::CalendarYearJson(load.document_json.clone())).await;
    assert_eq!((seen.order_count, seen.moved_count, seen.no_longer_late_count, seen.newly_late_count), (2, 1, 1, 0), "{seen:?}");
    assert_eq!(seen.samples[0].work_order_id, open.id);
    assert_eq!(world.written().await, before, "a preview writes nothing");

    world.calendars().load_calendar_year(world.operations().asks(load)).await.unwrap();
    eventually("the recomputation", || async {
        (time(dispatch(&world, &open).await.due_time.as_ref()) == at("2026-03-04T16:00:00Z")).then_some(())
    })
    .await;
    let done = "SELECT count(*) FROM work_order.timers WHERE kind = 'recompute_clocks'";
    eventually("its last batch", || async {
        let left: i64 = sqlx::query_scalar(done).fetch_one(&world.db).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    let kept = dispatch(&world, &ended).await;
    assert_eq!((kept.verdict(), time(kept.due_time.as_ref())), (Verdict::Late, at("2026-03-03T16:00:00Z")));
}

/// A document that would be refused when it is added is refused by its preview, with its places.
#[tokio::test]
async fn a_preview_refuses_what_could_not_be_added() {
    let world = World::new().await;
    let twice = plan::SlaPolicy { clock_rules: [patient().clock_rules, patient().clock_rules].concat(), ..Default::default() };
    let rules = Rules::Policy(plan::PolicyDocument { document: Some(Document::Sla(twice)) });
    let answer = world.clocks().preview_rules(world.operations().asks(world.preview_of(rules))).await.map(drop);
    refused(answer, Code::InvalidArgument, "POLICY_INVALID");
    let rules = Rules::Policy(plan::PolicyDocument { document: Some(Document::Care(plan::CarePolicy::default())) });
    let answer = world.clocks().preview_rules(world.operations().asks(world.preview_of(rules))).await.map(drop);
    refused(answer, Code::InvalidArgument, "POLICY_KIND_NOT_OWNED");
    let rules = Rules::CalendarYearJson("{}".to_owned());
    let answer = world.clocks().preview_rules(world.operations().asks(world.preview_of(rules))).await.map(drop);
    refused(answer, Code::InvalidArgument, "POLICY_INVALID");
}
