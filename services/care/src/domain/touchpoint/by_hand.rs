//! What people do to a touchpoint: carry it out, confirm it, write down what was felt, decide against it.

use jiff::Timestamp;
use steward_kit::Result;

use super::{Proof, State, Touchpoint};
use crate::domain::base::{Change, Promise, Stored, TimerKind, forbids, precondition};
use crate::domain::programme::Action;
use crate::domain::terms::Rules;

const NOW_AND_THEN: &[&str] = &["ExecuteTouchpoint", "ConfirmTouchpoint", "RecordTouchpointFeedback", "SkipTouchpoint"];

/// Somebody did it, and shows what must be shown.
pub fn execute(before: &Stored<Touchpoint>, proof: &Proof, actor: &str, rules: &Rules, now: Timestamp) -> Result<Change<Touchpoint>> {
    let touchpoint = &before.value;
    match &touchpoint.action {
        Action::Task { .. } => {}
        Action::Message { .. } | Action::Visit { .. } | Action::Survey { .. } | Action::Order { .. } => {
            return precondition(
                "ACTION_NOT_BY_HAND",
                format!("touchpoint {}", before.id),
                "the system does it, or it is done in a visit: nobody executes it by hand",
            );
        }
    }
    match touchpoint.state {
        State::Due | State::Overdue if touchpoint.act_time.is_none() => {}
        State::Due
        | State::Overdue
        | State::Planned
        | State::Excluded
        | State::Acted
        | State::Confirmed
        | State::Cancelled
        | State::Skipped
        | State::Suppressed
        | State::HeldOut => return refuse(before),
    }
    let mut bad = steward_kit::error::Violations::new();
    let rule = touchpoint.proof_rule;
    for (missing, field) in [
        (rule.photo && proof.photos.is_empty(), "photo_references"),
        (rule.signature && proof.signature.is_empty(), "signature_reference"),
        (rule.note && proof.note.trim().is_empty(), "note"),
    ] {
        if missing {
            bad.add(field, "PROOF_INCOMPLETE", "must be shown for this touchpoint");
        }
    }
    bad.finish()?;
    let mut after = touchpoint.clone();
    after.state = State::Acted;
    after.reason_code = String::new();
    after.act_time = Some(now);
    actor.clone_into(&mut after.actor_subject);
    after.proof_references.extend(proof.photos.iter().cloned());
    proof.note.trim().clone_into(&mut after.note);
    after.proof_references.extend((!proof.signature.is_empty()).then(|| proof.signature.clone()));
    after.step(now, "acted", "", actor);
    let confirm = rules.due_if(now, touchpoint.confirm_within.as_ref())?;
    Ok(Change::to(after).promise(Promise::cancel(TimerKind::TouchpointWindow)).promise(Promise::at(TimerKind::TouchpointConfirm, confirm)))
}

/// It arrived, somebody says.
pub fn confirm(before: &Stored<Touchpoint>, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    let touchpoint = &before.value;
    let is_done = touchpoint.act_time.is_some() && matches!(touchpoint.state, State::Acted | State::Overdue);
    match touchpoint.arrived("by_hand", actor, now, now) {
        Some(change) if is_done => Ok(change),
        Some(_) | None => refuse(before),
    }
}

/// What the household felt.
pub fn feel(before: &Stored<Touchpoint>, score: u8, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    match before.value.state {
        State::Acted | State::Confirmed | State::Overdue => {
            let mut after = Touchpoint { feedback_score: score, ..before.value.clone() };
            after.step(now, "feedback", "", actor);
            Ok(Change::to(after))
        }
        State::Planned | State::Due | State::Excluded | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => {
            refuse(before)
        }
    }
}

/// Somebody decides against it.
pub fn skip(before: &Stored<Touchpoint>, reason: &str, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    match before.value.state {
        State::Planned | State::Due | State::Excluded | State::Overdue if before.value.act_time.is_none() => {
            let mut change = before.value.clone().cancelled(reason, now)?;
            change.after.state = State::Skipped;
            change.after.steps.pop();
            change.after.step(now, "skipped", reason, actor);
            Ok(change)
        }
        State::Planned
        | State::Due
        | State::Excluded
        | State::Overdue
        | State::Acted
        | State::Confirmed
        | State::Cancelled
        | State::Skipped
        | State::Suppressed
        | State::HeldOut => refuse(before),
    }
}

fn refuse(before: &Stored<Touchpoint>) -> Result<Change<Touchpoint>> {
    let allowed: &[&'static str] = match before.value.state {
        State::Planned | State::Excluded => &["SkipTouchpoint"],
        State::Due => &["ExecuteTouchpoint", "SkipTouchpoint"],
        State::Acted => &["ConfirmTouchpoint", "RecordTouchpointFeedback"],
        State::Confirmed => &["RecordTouchpointFeedback"],
        State::Overdue => NOW_AND_THEN,
        State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => &[],
    };
    forbids::<Touchpoint, _>("TOUCHPOINT_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed)
}
