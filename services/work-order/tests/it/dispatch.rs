//! How orders come to somebody by themselves: offers that stand for a while, the next when nobody answers, the duty manager at the end.

use std::sync::Arc;

use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::plan::v1::{DispatchMode, PolicyScopeLevel};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{DutyReason, State};
use tokio::task::JoinSet;
use tonic::Code;

use crate::roster::plumber;
use crate::words::{plan as read, reason};
use crate::world::{Answer, UPLIFT, World, at, eventually, new_version, refused, request_id, time};

impl World {
    /// The estate's plan, with orders that come to somebody by themselves.
    pub(crate) async fn dispatch_by(&self, mode: DispatchMode) {
        let rules = vec![plan::DispatchRule { applies_to: None, mode: mode.into() }];
        self.dispatch_with(plan::DispatchPolicy { rules, ..Default::default() }).await;
    }

    pub(crate) async fn dispatch_with(&self, dispatch: plan::DispatchPolicy) {
        let sla = plan::SlaPolicy { dispatch: Some(dispatch), ..read(UPLIFT).sla.unwrap() };
        let request = new_version(PolicyScopeLevel::Estate, &self.estate.to_string(), Document::Sla(sla), "");
        self.policies().create_policy_version(self.operations().asks(request)).await.unwrap();
    }

    async fn offer_to(&self, id: &str, who: &str) -> pb::WorkOrder {
        eventually(&format!("an offer to {who}"), || async {
            let order = self.get(id).await;
            order.offer.as_ref().is_some_and(|offer| offer.offered_to == who).then_some(order)
        })
        .await
    }

    async fn in_duty_queue(&self, id: &str) -> pb::WorkOrder {
        eventually("the duty manager", || async {
            let order = self.get(id).await;
            order.duty_queue_time.is_some().then_some(order)
        })
        .await
    }

    async fn accept_offer(&self, id: &str, who: &str) -> Answer<pb::WorkOrder> {
        let request = pb::AcceptOfferRequest { work_order_id: id.to_owned(), request_id: request_id(), etag: String::new() };
        let answer = self.orders().accept_offer(self.staff(who, "technician").asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }

    async fn decline_offer(&self, id: &str, who: &str) -> Answer<pb::WorkOrder> {
        let request = pb::DeclineOfferRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            reason: "在梯子上".to_owned(),
            ..Default::default()
        };
        let answer = self.orders().decline_offer(self.staff(who, "technician").asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }

    async fn explain_dispatch(&self, id: &str) -> Vec<pb::DispatchRun> {
        let request = pb::ExplainDispatchRequest { work_order_id: id.to_owned() };
        self.orders().explain_dispatch(self.desk().asks(request)).await.unwrap().into_inner().runs
    }
}

/// WO-23: nobody eligible: the order waits for the duty manager within 60 seconds, who is told once.
#[tokio::test]
async fn an_order_that_nobody_may_have_waits_for_the_duty_manager() {
    let world = World::new().await;
    world.dispatch_by(DispatchMode::Offer).await;
    world.put(vec![pb::WorkerEntry { skills: vec!["greening".to_owned()], ..plumber("gardener", 1) }]).await;
    let id = world.create(world.burst_pipe()).await.id;
    let order = world.in_duty_queue(&id).await;
    let waited = time(order.duty_queue_time.as_ref()).duration_since(time(order.receive_time.as_ref()));
    assert!(waited.as_secs() <= 60, "{waited:?}");
    assert_eq!(world.count_facts(&id, "DutyManagerCalled").await, 1);
    let runs = world.explain_dispatch(&id).await;
    assert_eq!((runs.len(), runs[0].duty_reason(), runs[0].mode()), (1, DutyReason::NobodyEligible, DispatchMode::Offer));
    let left_out = pb::DispatchExclusion { principal: "gardener".to_owned(), reasons: vec!["LACKS_SKILL".to_owned()] };
    assert_eq!(runs[0].exclusions, [left_out]);
    // The duty manager gives it to somebody.
    let assigned = world.assign(&id, "li").await.unwrap();
    assert_eq!((assigned.state(), assigned.duty_queue_time), (State::Assigned, None));
}

/// WO-23: one does not answer, one declines, one takes it; each look is explained as it was, and what ran out is refused.
#[tokio::test]
async fn an_order_is_offered_to_one_after_the_other_until_it_is_taken() {
    let world = World::new().await;
    world.dispatch_by(DispatchMode::Offer).await;
    let exact = pb::WorkerEntry { skills: vec!["plumbing.burst_pipe".to_owned()], ..plumber("exact", 2) };
    let near = pb::WorkerEntry { distance_class: "near".to_owned(), ..plumber("near", 2) };
    world.put(vec![exact, near, plumber("wang", 2), plumber("idle", 0)]).await;
    let id = world.create(world.burst_pipe()).await.id;
    let order = world.offer_to(&id, "exact").await;
    assert_eq!(order.state(), State::Classified, "nobody is accountable yet");
    assert_eq!(time(order.offer.unwrap().expire_time.as_ref()), at("2026-03-01T18:05:00Z"));
    refused(world.accept_offer(&id, "wang").await, Code::FailedPrecondition, "NOT_OFFERED");
    world.advance(5);
    refused(world.accept_offer(&id, "exact").await, Code::FailedPrecondition, "OFFER_LAPSED");
    world.offer_to(&id, "near").await;
    refused(world.decline_offer(&id, "exact").await, Code::FailedPrecondition, "OFFER_LAPSED");
    world.decline_offer(&id, "near").await.unwrap();
    world.offer_to(&id, "wang").await;
    let taken = world.accept_offer(&id, "wang").await.unwrap();
    assert_eq!((taken.state(), taken.assignee.as_str(), taken.offer), (State::Accepted, "wang", None));
    let counts = [world.count_facts(&id, "WorkOrderOffered").await, world.count_facts(&id, "WorkOrderAccepted").await];
    assert_eq!(counts, [3, 1]);
    let runs = world.explain_dispatch(&id).await;
    let offered: Vec<_> = runs.iter().map(|run| run.offered_to.as_str()).collect();
    assert_eq!(offered, ["exact", "near", "wang"]);
    let parts = |one: &pb::DispatchCandidate| (one.principal.clone(), one.score, one.skill, one.load, one.distance);
    let first: Vec<_> = runs[0].candidates.iter().map(parts).collect();
    // 40 parts of skill, 30 of load, 20 of distance, 10 of the last visitor.
    let expected = [("exact", 70, 100, 100, 0), ("near", 60, 50, 100, 50), ("wang", 50, 50, 100, 0)];
    assert_eq!(first, expected.map(|(who, score, skill, load, distance)| (who.to_owned(), score, skill, load, distance)));
    assert_eq!(runs[0].exclusions[0].reasons, ["AT_LIMIT"]);
    let third: Vec<_> = runs[2].exclusions.iter().map(|one| (one.principal.as_str(), one.reasons.join(","))).collect();
    assert_eq!(third, [("exact", "ASKED_BEFORE".into()), ("idle", "AT_LIMIT".into()), ("near", "ASKED_BEFORE".into())]);

    // The resident reads nothing of it.
    let get = pb::GetWorkOrderRequest { work_order_id: id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!((seen.offer, seen.duty_queue_time), (None, None));
    let explain = pb::ExplainDispatchRequest { work_order_id: id };
    refused(world.orders().explain_dispatch(world.resident().asks(explain)).await, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// WO-23: of many who say yes at once, one has it; what is offered counts with what they have, so that nobody exceeds their limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_never_taken_twice_and_counts_with_what_they_have() {
    let world = Arc::new(World::new().await);
    world.dispatch_by(DispatchMode::Offer).await;
    world.put(vec![plumber("wang", 1), plumber("zhou", 1)]).await;
    let first = world.create(world.burst_pipe()).await.id;
    world.offer_to(&first, "wang").await;
    let second = world.create(world.burst_pipe()).await.id;
    world.offer_to(&second, "zhou").await;
    let third = world.create(world.burst_pipe()).await.id;
    world.in_duty_queue(&third).await;
    let mut answers = JoinSet::new();
    for _ in 0..12 {
        let (world, id) = (world.clone(), first.clone());
        answers.spawn(async move { world.accept_offer(&id, "wang").await });
    }
    let answers = answers.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let known = ["STATE_FORBIDS", "OFFER_LAPSED", "STALE_ETAG"];
    assert!(
        answers.iter().filter_map(|answer| answer.as_ref().err()).all(|status| known.contains(&reason(status).as_str())),
        "{answers:?}"
    );
    assert_eq!(world.count_facts(&first, "WorkOrderAccepted").await, 1);
    // Assigned by hand, the limit holds too, unless somebody in charge says why.
    refused(world.assign(&third, "wang").await, Code::FailedPrecondition, "AT_LIMIT");
    let assign = |reason: &str| pb::AssignWorkOrderRequest {
        work_order_id: third.clone(),
        request_id: request_id(),
        assignee: "wang".to_owned(),
        over_limit_reason: reason.to_owned(),
        ..Default::default()
    };
    refused(world.orders().assign_work_order(world.desk().asks(assign("暴雨"))).await, Code::FailedPrecondition, "AT_LIMIT");
    refused(world.orders().assign_work_order(world.manager().asks(assign(""))).await, Code::FailedPrecondition, "AT_LIMIT");
    world.orders().assign_work_order(world.manager().asks(assign("暴雨"))).await.unwrap();
    assert!(world.history(&third).await.iter().any(|line| line.action == "assign" && line.detail["over_limit_reason"] == "暴雨"));
}

/// WO-23, XC-26: a kill after the report loses no offer and makes none twice.
#[tokio::test]
async fn a_kill_loses_no_offer_and_doubles_none() {
    let mut world = World::new().await;
    world.dispatch_by(DispatchMode::Offer).await;
    world.put(vec![plumber("wang", 9), plumber("zhou", 9)]).await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(world.create(world.burst_pipe()).await.id);
    }
    world.stop().await;
    world.start().await;
    for id in &orders {
        eventually("an offer", || async { world.get(id).await.offer.is_some().then_some(()) }).await;
        assert_eq!(world.count_facts(id, "WorkOrderOffered").await, 1);
    }
    world.stop().await;
    world.start().await;
    world.advance(5);
    for id in &orders {
        eventually("the next", || async { (world.count_facts(id, "WorkOrderOffered").await == 2).then_some(()) }).await;
        assert_eq!(world.explain_dispatch(id).await.len(), 2);
    }
}

/// WO-23: an order that is everybody's is grabbed, or waits for the duty manager when nobody comes in time.
#[tokio::test]
async fn an_order_that_nobody_grabs_waits_for_the_duty_manager() {
    let world = World::new().await;
    world.dispatch_by(DispatchMode::Grab).await;
    world.put(vec![plumber("wang", 1)]).await;
    let (left, taken) = (world.create(world.burst_pipe()).await.id, world.create(world.burst_pipe()).await.id);
    for id in [&left, &taken] {
        eventually("it is open", || async { (world.explain_dispatch(id).await.len() == 1).then_some(()) }).await;
    }
    let grab = pb::GrabWorkOrderRequest { work_order_id: taken.clone(), request_id: request_id(), etag: String::new() };
    world.orders().grab_work_order(world.wang().asks(grab)).await.unwrap();
    world.advance(5);
    world.in_duty_queue(&left).await;
    assert_eq!(world.get(&taken).await.duty_queue_time, None);
    assert_eq!(world.explain_dispatch(&left).await[1].duty_reason(), DutyReason::Exhausted);
}
