//! How orders come to somebody: from requests to commands, and from the domain to messages.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::WorkOrderId;
use steward_kit::proto::to_timestamp;
use steward_proto::work_order::v1 as pb;

use super::decode::{id, target};
use crate::app::Target;
use crate::contract::Code;
use crate::domain::{Actor, DeclineOffer, DispatchRun, Offer, Ranked};

pub(super) fn accept_offer(request: &pb::AcceptOfferRequest) -> Result<Target> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| target)
}

pub(super) fn decline_offer(request: &pb::DeclineOfferRequest, actor: Actor) -> Result<(Target, DeclineOffer)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, DeclineOffer { actor, reason: request.reason.clone() })))
}

pub(super) fn explain(request: &pb::ExplainDispatchRequest) -> Result<WorkOrderId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "work_order_id", &request.work_order_id);
    bad.build(|| id)
}

pub(super) fn offer(offer: &Offer) -> pb::Offer {
    pb::Offer { offered_to: offer.to.clone(), offer_time: Some(to_timestamp(offer.at)), expire_time: Some(to_timestamp(offer.until)) }
}

pub(super) fn run(run: &DispatchRun) -> pb::DispatchRun {
    let excluded = run.list.excluded.iter();
    pb::DispatchRun {
        position: run.position,
        run_time: Some(to_timestamp(run.at)),
        mode: run.mode.number(),
        offered_to: run.offered_to.clone().unwrap_or_default(),
        expire_time: run.until.map(to_timestamp),
        duty_reason: run.duty_reason.map(Code::number).unwrap_or_default(),
        candidates: run.list.ranked.iter().map(candidate).collect(),
        exclusions: excluded.map(|(who, why)| pb::DispatchExclusion { principal: who.clone(), reasons: why.clone() }).collect(),
    }
}

fn candidate(one: &Ranked) -> pb::DispatchCandidate {
    pb::DispatchCandidate {
        principal: one.principal.clone(),
        score: one.score.total,
        skill: one.score.skill,
        load: one.score.load,
        distance: one.score.distance,
        last_visitor: one.score.last_visitor,
        waits_since: one.waits_since.map(to_timestamp),
    }
}
