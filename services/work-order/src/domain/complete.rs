//! The work is done, with proof (WO-48); the callback falls due.

use jiff::Timestamp;
use steward_kit::pii::Pii;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::plausible::event_time;
use super::policy::ProofNeeds;
use super::proof::{CompletionProof, MediaKind, MediaRef};
use super::refusal::Refusal;
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A completion.
#[derive(Clone, Debug)]
pub struct Complete {
    /// Who; must be the assignee.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
    /// What was done.
    pub summary: Pii<String>,
    /// Photos, parts, signature.
    pub media: Vec<MediaRef>,
}

/// Records that the work is done.
///
/// # Errors
/// `StateForbids`, `NotTheAssignee`, `QuoteUnconfirmed`, `WorkNotStarted`, `ProofIncomplete`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn complete(order: &WorkOrder, cmd: &Complete, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Complete)?;
    draft.only_assignee()?;
    let follows = order.milestone_time(Milestone::Arrived).unwrap_or(order.cycle_start()).max(order.cycle_start());
    let at = event_time(order, cmd.occur_time, follows, ctx, now)?;
    order.check_started()?;
    check_proof(order.terms.proof, order, cmd)?;
    draft.note_worker();
    draft.order.state = State::Completed;
    draft.order.proofs.push(CompletionProof {
        cycle: order.cycle,
        summary: cmd.summary.clone(),
        media: cmd.media.clone(),
        complete_time: at,
        actor: cmd.actor.clone(),
    });
    draft.reach(Milestone::Completed, at)?;
    draft.await_silence(at)?;
    draft.await_form(at)?;
    let form_expire_time = draft.order.awaited_form().map(|form| form.expire_time);
    draft.tell(at, Fact::Completed { form_expire_time });
    draft.have_duplicates_follow();
    draft.note(Action::Complete, at, [("media", cmd.media.len().to_string())]);
    Ok(draft.finish())
}

/// A photo from before the work may have come with the report.
fn check_proof(needs: ProofNeeds, order: &WorkOrder, cmd: &Complete) -> Result<(), Refusal> {
    let has = |kind| cmd.media.iter().any(|media| media.kind == Some(kind));
    let refuse = |field, missing| Err(Refusal::ProofIncomplete { field, missing });
    if cmd.summary.expose().trim().is_empty() {
        return refuse("summary", "must say what was done");
    }
    if needs.before_photo && !has(MediaKind::Before) && !order.media.iter().any(|media| media.kind == Some(MediaKind::Before)) {
        return refuse("media", "the estate's policy requires a photo from before the work");
    }
    if needs.after_photo && !has(MediaKind::After) {
        return refuse("media", "the estate's policy requires a photo from after the work");
    }
    if needs.signature && !has(MediaKind::Signature) {
        return refuse("media", "the estate's policy requires the customer's signature");
    }
    Ok(())
}
