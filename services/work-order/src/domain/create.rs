//! A report is taken in: classified by the estate's rules, bound to its policies, its clocks started.

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::pii::Pii;

use super::actor::{Actor, ActorKind};
use super::case::{CausedBy, Channel, Kind, Milestone, Urgency};
use super::context::Context;
use super::dispatch::Dispatch;
use super::draft::Draft;
use super::field_work::FieldWork;
use super::history::Action;
use super::lineage::Lineage;
use super::major::Major;
use super::origin::{Origin, check_origin};
use super::plausible::report_time;
use super::proof::MediaRef;
use super::refusal::Refusal;
use super::state::State;
use super::terms::Terms;
use super::transition::{Fact, Source, Transition};
use super::work_order::WorkOrder;

/// `classified_by` of an order whose category a person chose.
pub const MANUAL: &str = "manual";

/// A report.
#[derive(Clone, Debug)]
pub struct Create {
    /// Id for the new order.
    pub id: WorkOrderId,
    /// Number for it.
    pub number: String,
    /// Estate.
    pub estate_id: EstateId,
    /// Unit; `None` for common parts.
    pub unit_id: Option<UnitId>,
    /// Customer; `None` for anonymous and device reports.
    pub customer_id: Option<CustomerId>,
    /// Kind.
    pub kind: Kind,
    /// Where it came from.
    pub channel: Channel,
    /// What is the matter.
    pub description: Pii<String>,
    /// Where exactly.
    pub location: Pii<String>,
    /// Photos and recordings.
    pub media: Vec<MediaRef>,
    /// Category, if the reporter knows it.
    pub category: Option<String>,
    /// Urgency, if staff decided it; from anybody else it is not heard.
    pub urgency: Option<Urgency>,
    /// When it happened, if reported late.
    pub occur_time: Option<Timestamp>,
    /// What care did that it is about.
    pub caused_by: Option<CausedBy>,
    /// Where the proof of it lies.
    pub origin: Option<Origin>,
    /// Staff subjects whom it complains about; from anybody but staff it is not heard.
    pub accused: Vec<String>,
    /// Who reports.
    pub actor: Actor,
    /// What asked for it, if no person did.
    pub source: Option<Source>,
}

/// Takes a report in. The order is classified at once if the reporter or a rule knows its category.
///
/// # Errors
/// `CategoryUnknown`, `TimeNotPlausible`, `CalendarUnknown`, `OriginUnsuited`, `OriginIncomplete`.
pub fn create(cmd: &Create, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    Ok(begin(cmd, now, ctx, now)?.finish())
}

/// The order that a report makes, which was received at `received`.
pub(super) fn begin<'a>(cmd: &Create, received: Timestamp, ctx: &'a Context<'a>, now: Timestamp) -> Result<Draft<'a>, Refusal> {
    let occur_time = report_time(cmd.occur_time, now)?;
    let is_staff = cmd.actor.kind == ActorKind::Staff;
    let origin = cmd.origin.clone().filter(|origin| is_staff || origin.is_heard_of_customers());
    check_origin(origin.as_ref(), cmd.channel, is_staff, ctx.policies)?;
    let (category, urgency, classified_by) = classify(cmd, ctx)?;
    let mut order = WorkOrder {
        id: cmd.id,
        number: cmd.number.clone(),
        estate_id: cmd.estate_id,
        unit_id: cmd.unit_id,
        customer_id: cmd.customer_id,
        kind: cmd.kind,
        category,
        urgency,
        classified_by,
        channel: cmd.channel,
        description: cmd.description.clone(),
        location: cmd.location.clone(),
        media: cmd.media.clone(),
        assignee: None,
        workers: Vec::new(),
        first_receiver: is_staff.then(|| cmd.actor.subject.clone()),
        occur_time,
        receive_time: received,
        update_time: now,
        cycle: 1,
        urge_count: 0,
        urge_escalated: false,
        promise_time: None,
        convert_time: None,
        caused_by: cmd.caused_by.clone(),
        accused: if is_staff { cmd.accused.clone() } else { Vec::new() },
        origin,
        cancel_time: None,
        auto_close_time: None,
        state: State::Received,
        suspensions: Vec::new(),
        close_code: None,
        contacts: Vec::new(),
        assessments: Vec::new(),
        callbacks: Vec::new(),
        callback_form: None,
        proofs: Vec::new(),
        milestones: Vec::new(),
        clocks: Vec::new(),
        terms: Terms::default(),
        major: Major::default(),
        field: FieldWork::default(),
        lineage: Lineage::default(),
        liable: None,
        // Read with the order from now on.
        delivery_date: None,
        dispatch: Dispatch::default(),
        history_position: 0,
        history_hash: [0; 32],
        row_version: 0,
    };
    order.terms = Terms::of(&order, ctx);
    let is_classified = !order.category.is_empty();
    if is_classified {
        order.state = State::Classified;
    }
    let mut draft = Draft::of_new(order, &cmd.actor, ctx, now);
    draft.reach(Milestone::Received, received)?;
    if is_classified {
        // It stands in the estate's queue from the same write on, or has stood there with what it was split off.
        draft.reach(Milestone::Pushed, received)?;
    }
    draft.have_majority_judged();
    draft.tell(occur_time, Fact::Created { channel: cmd.channel, source: cmd.source.clone() });
    let order = &draft.order;
    let detail = [
        ("kind", order.kind.to_string()),
        ("category", order.category.clone()),
        ("urgency", order.urgency.to_string()),
        ("classified_by", order.classified_by.clone()),
        ("channel", order.channel.to_string()),
        ("origin", order.origin.as_ref().map(|origin| origin.code().to_owned()).unwrap_or_default()),
        ("external_due", order.external_due().map(|due| due.to_string()).unwrap_or_default()),
        ("caused_by", CausedBy::code(order.caused_by.as_ref())),
        ("weather", order.terms.weather.as_ref().map(|weather| weather.code.clone()).unwrap_or_default()),
        ("accused", order.accused.join(",")),
        ("source", cmd.source.as_ref().map(|source| format!("{}/{}", source.kind, source.id)).unwrap_or_default()),
    ];
    draft.note(Action::Create, occur_time, detail);
    Ok(draft)
}

/// Category, urgency and what decided them. Staff have the last word; what anybody else chose gives way to a rule that
/// finds the case more urgent, so that a burst pipe filed under "other" is still a burst pipe.
fn classify(cmd: &Create, ctx: &Context<'_>) -> Result<(String, Urgency, String), Refusal> {
    let is_staff = cmd.actor.kind == ActorKind::Staff;
    let said = cmd.urgency.filter(|_| is_staff);
    let rule = ctx.policies.classify(cmd.kind, cmd.description.expose());
    let by_rule = rule.map(|rule| (rule.category.to_owned(), said.or(rule.urgency).unwrap_or(Urgency::L3), rule.rule.to_owned()));
    let Some(code) = cmd.category.as_deref().filter(|code| !code.is_empty()) else {
        return Ok(by_rule.unwrap_or_else(|| (String::new(), said.unwrap_or(Urgency::L3), String::new())));
    };
    let category = ctx.policies.category(code).ok_or(Refusal::CategoryUnknown)?;
    let chosen = (code.to_owned(), said.or(category.urgency).unwrap_or(Urgency::L3), MANUAL.to_owned());
    Ok(match by_rule {
        Some(by_rule) if !is_staff && by_rule.1 < chosen.1 => by_rule,
        Some(_) | None => chosen,
    })
}
