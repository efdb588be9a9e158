//! One report that is about several matters: a part of it becomes an order of its own, as old as the report.

use jiff::Timestamp;
use steward_kit::ids::WorkOrderId;
use steward_kit::pii::Pii;

use super::actor::Actor;
use super::case::{Kind, Milestone, Urgency};
use super::clock::BreachReason;
use super::context::Context;
use super::create::{Create, begin};
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Source, Transition};
use super::work_order::WorkOrder;

/// A part is split off.
#[derive(Clone, Debug)]
pub struct Split {
    /// Who.
    pub actor: Actor,
    /// Kind of the part; `None`: as the whole.
    pub kind: Option<Kind>,
    /// Its category, if staff know it.
    pub category: Option<String>,
    /// Its urgency, if staff decided it.
    pub urgency: Option<Urgency>,
    /// What it is about.
    pub description: Pii<String>,
    /// Where; empty: as the whole.
    pub location: Pii<String>,
}

/// Splits a part off: the whole as it then is, and the part. The part was received when the whole was, by the policies of then, which are
/// those of `ctx`; whatever it is late with by now it is late with. The first answer to the whole was one to the part.
///
/// # Errors
/// `StateForbids`, `CategoryUnknown`, `CalendarUnknown`.
pub fn split(
    order: &WorkOrder,
    cmd: &Split,
    (id, number): (WorkOrderId, String),
    ctx: &Context<'_>,
    now: Timestamp,
) -> Result<(Transition, Transition), Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Split)?;
    draft.order.lineage.split_into.push(id);
    draft.tell(now, Fact::Split { part: id, part_number: number.clone() });
    draft.note(Action::Split, now, [("part", id.to_string())]);
    let whole = draft.finish();
    let location = if cmd.location.expose().is_empty() { &order.location } else { &cmd.location };
    let part = Create {
        id,
        number,
        estate_id: order.estate_id,
        unit_id: order.unit_id,
        customer_id: order.customer_id,
        kind: cmd.kind.unwrap_or(order.kind),
        channel: order.channel,
        origin: order.origin.clone(),
        description: cmd.description.clone(),
        location: location.clone(),
        media: order.media.clone(),
        category: cmd.category.clone(),
        urgency: cmd.urgency,
        occur_time: Some(order.occur_time),
        caused_by: order.caused_by.clone(),
        accused: order.accused.clone(),
        actor: cmd.actor.clone(),
        source: Some(Source { kind: "work_order", id: order.id.to_string() }),
    };
    let mut draft = begin(&part, order.receive_time, ctx, now)?;
    draft.order.first_receiver.clone_from(&order.first_receiver);
    draft.order.lineage.split_from = Some(order.id);
    let answered = order.milestones.iter().filter(|reached| reached.milestone == Milestone::Responded).map(|reached| reached.at).min();
    if let Some(at) = answered {
        draft.reach(Milestone::Responded, at)?;
    }
    let open = draft.open_clocks();
    draft.take_steps(&open, now, true, Some(BreachReason::Split));
    Ok((whole, draft.finish()))
}
