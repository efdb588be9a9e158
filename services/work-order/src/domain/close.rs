//! A completed order ends (WO-41, WO-78).

use jiff::Timestamp;

use super::actor::{Actor, ActorKind};
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::{CloseCode, WorkOrder};

/// How an order can end after work.
const BY_PEOPLE: &[CloseCode] = &[CloseCode::Resolved, CloseCode::UnresolvedExplained, CloseCode::OutOfScope, CloseCode::Transferred];

/// How an order ends when nobody says anything.
const BY_ITSELF: &[CloseCode] = &[CloseCode::AutoClosed];

/// A closing.
#[derive(Clone, Debug)]
pub struct Close {
    /// Who.
    pub actor: Actor,
    /// How it ended.
    pub close_code: CloseCode,
}

/// Closes. A callback that is still owed stays owed: its clock runs on, every other open clock no longer applies.
///
/// # Errors
/// `StateForbids`, `CloseCodeUnsuited`, `CalendarUnknown`.
pub fn close(order: &WorkOrder, cmd: &Close, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Close)?;
    let suited = match cmd.actor.kind {
        ActorKind::Staff | ActorKind::Customer | ActorKind::Device => BY_PEOPLE,
        ActorKind::Service => BY_ITSELF,
    };
    if !suited.contains(&cmd.close_code) {
        return Err(Refusal::CloseCodeUnsuited { suited });
    }
    close_in(&mut draft, now, cmd.close_code)?;
    Ok(draft.finish())
}

/// The closing itself, also by silence.
pub(super) fn close_in(draft: &mut Draft<'_>, at: Timestamp, close_code: CloseCode) -> Result<(), Refusal> {
    draft.settle(at);
    draft.order.state = State::Closed;
    draft.order.close_code = Some(close_code);
    draft.order.auto_close_time = None;
    draft.reach(Milestone::Closed, at)?;
    draft.void(at, |clock| !clock.terms.stop_on.contains(&Milestone::CalledBack));
    draft.begin_major_window(at)?;
    draft.tell(at, Fact::Closed { close_code });
    draft.note(Action::Close, at, [("close_code", close_code.to_string())]);
    Ok(())
}
