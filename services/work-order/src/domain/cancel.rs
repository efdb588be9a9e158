//! An order ends that needs no work (WO-41).

use jiff::Timestamp;

use super::actor::Actor;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::{CloseCode, WorkOrder};

/// How an order can end without work.
const SUITED: &[CloseCode] =
    &[CloseCode::Withdrawn, CloseCode::Duplicate, CloseCode::Invalid, CloseCode::OutOfScope, CloseCode::Transferred];

/// A cancellation.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// Who.
    pub actor: Actor,
    /// Why it ends.
    pub close_code: CloseCode,
    /// Evidence or explanation, without personal data.
    pub reason: String,
}

/// Whether the reporter is owed a callback all the same (the edge-case matrix): each reporter of a matter that was merged, and an
/// explanation to those whose report is none of ours. After a withdrawal it is a courtesy.
const fn owes_callback(close_code: CloseCode) -> bool {
    match close_code {
        CloseCode::Duplicate | CloseCode::Invalid | CloseCode::OutOfScope => true,
        CloseCode::Resolved | CloseCode::UnresolvedExplained | CloseCode::Withdrawn | CloseCode::Transferred | CloseCode::AutoClosed => {
            false
        }
    }
}

/// Cancels. Open clocks no longer apply; what was late before stays late. The callback that is owed still falls due from now.
///
/// # Errors
/// `StateForbids`, `CloseCodeUnsuited`, `CalendarUnknown`.
pub fn cancel(order: &WorkOrder, cmd: &Cancel, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Cancel)?;
    if !SUITED.contains(&cmd.close_code) {
        return Err(Refusal::CloseCodeUnsuited { suited: SUITED });
    }
    draft.settle(now);
    draft.void(now, |_| true);
    draft.end_suspension(now);
    if owes_callback(cmd.close_code) {
        draft.owe_callback(now)?;
    }
    draft.order.state = State::Cancelled;
    draft.order.close_code = Some(cmd.close_code);
    draft.order.cancel_time = Some(now);
    // A complaint that stands no longer, or stood never, is no major one.
    draft.clear_major(now);
    draft.tell(now, Fact::Cancelled { close_code: cmd.close_code, lead_number: String::new() });
    draft.have_duplicates_follow();
    draft.note(Action::Cancel, now, [("close_code", cmd.close_code.to_string()), ("reason", cmd.reason.clone())]);
    Ok(draft.finish())
}
