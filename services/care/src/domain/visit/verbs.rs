//! What people do with a visit, each verb with the states that allow it.

use jiff::Timestamp;
use steward_kit::{Error, Result};

use super::{Arrangement, Fact, Form, SLOT, State, Visit};
use crate::domain::base::{Change, Promise, Stored, TimerKind, forbids, precondition};
use crate::domain::codes::RoundState;
use crate::domain::round::Round;
use crate::domain::terms::Rules;

/// Visitors and time are set, or changed. That nobody is busy is the store's to refuse.
pub fn schedule(before: &Stored<Visit>, round: &Round, arrangement: &Arrangement, now: Timestamp, rules: &Rules) -> Result<Change<Visit>> {
    match before.value.state {
        State::Open | State::Scheduled => {}
        State::UnderWay | State::Done | State::Closed | State::Excluded | State::Cancelled => return refuse(before),
    }
    if round.state != RoundState::Active {
        return forbids::<Round, _>("ROUND_STATE_FORBIDS", before.value.round_id.as_uuid(), round.state.as_str(), &[]);
    }
    if arrangement.start_time < now || arrangement.start_time.as_second() % SLOT.as_secs() != 0 {
        return Err(Error::invalid("start_time", "TIME_NOT_PLAUSIBLE", "must lie ahead, on a quarter of an hour"));
    }
    if let Some(visitor) = arrangement.visitors.iter().find(|visitor| !round.is_trained(visitor)) {
        let detail = format!("{visitor} was not trained in {}", round.rules.training_topics.join(", "));
        return precondition("VISITOR_UNTRAINED", format!("visit {}", before.id), detail);
    }
    let is_moved = before.value.start_time.is_some_and(|start| start != arrangement.start_time);
    let mut after = before.value.clone();
    after.state = State::Scheduled;
    after.visitors.clone_from(&arrangement.visitors);
    after.start_time = Some(arrangement.start_time);
    let length = SLOT * i32::try_from(arrangement.minutes / 15).map_err(Error::internal)?;
    after.end_time = Some(arrangement.start_time.checked_add(length).map_err(Error::internal)?);
    if is_moved {
        after.reschedule_count += 1;
        (after.appoint_time, after.reconfirm_time) = (None, None);
    }
    if !round.missing_roles().is_empty() {
        after.warn("ROLE_MISSING");
    }
    let notice = match &round.rules.notice {
        Some(span) => Some(rules.begin_of(rules.shift(rules.date(arrangement.start_time), true, span)?, rules.terms.times.notice)?),
        None => None,
    };
    let change = match (notice, after.notice_time) {
        (Some(notice), None) => Change::to(after).promise(Promise::set(TimerKind::VisitNotice, notice.max(now))),
        (Some(_), Some(_)) | (None, _) => Change::to(after),
    };
    Ok(if is_moved { change.tell(Fact::Rescheduled) } else { change })
}

/// The customer agreed; a second time, before going.
pub fn appoint(before: &Stored<Visit>, now: Timestamp) -> Result<Change<Visit>> {
    let mut after = before.value.clone();
    match (after.state, after.appoint_time) {
        (State::Scheduled, None) => after.appoint_time = Some(now),
        (State::Scheduled, Some(_)) => after.reconfirm_time = Some(now),
        (State::Open | State::UnderWay | State::Done | State::Closed | State::Excluded | State::Cancelled, _) => return refuse(before),
    }
    Ok(Change::to(after))
}

/// The brief was read.
pub fn read_brief(before: &Stored<Visit>, now: Timestamp) -> Result<Change<Visit>> {
    match before.value.state {
        State::Scheduled | State::UnderWay => {
            Ok(Change::to(Visit { brief_read_time: before.value.brief_read_time.or(Some(now)), ..before.value.clone() }))
        }
        State::Open | State::Done | State::Closed | State::Excluded | State::Cancelled => refuse(before),
    }
}

/// What is taken along.
pub fn check_kit(before: &Stored<Visit>, items: Vec<String>) -> Result<Change<Visit>> {
    match before.value.state {
        State::Scheduled | State::UnderWay => Ok(Change::to(Visit { kit_items: items, ..before.value.clone() })),
        State::Open | State::Done | State::Closed | State::Excluded | State::Cancelled => refuse(before),
    }
}

/// The talk begins. What was left out before is warned of (CA-35, CA-42, CA-44).
pub fn start(before: &Stored<Visit>, round: &Round, now: Timestamp) -> Result<Change<Visit>> {
    match before.value.state {
        State::Scheduled => {}
        State::Open | State::UnderWay | State::Done | State::Closed | State::Excluded | State::Cancelled => return refuse(before),
    }
    let mut after = Visit { state: State::UnderWay, begin_time: Some(now), ..before.value.clone() };
    after.is_without_notice |= after.notice_time.is_none() && round.rules.notice.is_some();
    for (is_so, code) in [
        (after.is_without_notice, "WITHOUT_NOTICE"),
        (after.reconfirm_time.is_none(), "NOT_RECONFIRMED"),
        (after.brief_read_time.is_none(), "BRIEF_NOT_READ"),
    ] {
        if is_so {
            after.warn(code);
        }
    }
    Ok(Change::to(after).promise(Promise::cancel(TimerKind::VisitNotice)))
}

/// The talk is over; the form is owed.
pub fn finish(before: &Stored<Visit>, round: &Round, now: Timestamp, rules: &Rules) -> Result<Change<Visit>> {
    match before.value.state {
        State::UnderWay => {}
        State::Open | State::Scheduled | State::Done | State::Closed | State::Excluded | State::Cancelled => return refuse(before),
    }
    let form_due_time = rules.due_if(now, round.rules.form_due.as_ref())?;
    let mut after = Visit { state: State::Done, finish_time: Some(now), form_due_time, ..before.value.clone() };
    after.conformity = Some(after.conformity(round));
    let change = Change::to(after).promise(Promise::at(TimerKind::VisitForm, form_due_time));
    Ok(match before.value.touchpoint_id {
        Some(touchpoint) => change.promise(Promise::set(TimerKind::TouchpointVisited, now).of(touchpoint)),
        None => change,
    })
}

/// The form comes in.
pub fn submit_form(before: &Stored<Visit>, round: &Round, form: Form) -> Result<Change<Visit>> {
    match before.value.state {
        State::Done => {}
        State::Open | State::Scheduled | State::UnderWay | State::Closed | State::Excluded | State::Cancelled => return refuse(before),
    }
    let is_late = before.value.form_due_time.is_some_and(|due| form.submit_time > due);
    let (issues, is_important) = (form.issues.len(), form.is_important);
    let mut after = Visit { state: State::Closed, form: Some(Form { is_late, ..form }), ..before.value.clone() };
    after.conformity = Some(after.conformity(round));
    let mut change = Change::to(after).promise(Promise::cancel(TimerKind::VisitForm));
    if is_important {
        change = change.tell(Fact::Important);
    }
    for issue in 0..issues {
        change = change.tell(Fact::IssueRaised(issue));
    }
    Ok(change)
}

/// It is not made.
pub fn cancel(before: &Stored<Visit>, reason: &str) -> Result<Change<Visit>> {
    match before.value.state {
        State::Open | State::Scheduled | State::Excluded => {
            let after = Visit { state: State::Cancelled, reason_code: reason.to_owned(), ..before.value.clone() }.unscheduled();
            Ok(Change::to(after).promise(Promise::cancel(TimerKind::VisitNotice)))
        }
        State::UnderWay | State::Done | State::Closed | State::Cancelled => refuse(before),
    }
}

fn refuse(before: &Stored<Visit>) -> Result<Change<Visit>> {
    let allowed: &[&'static str] = match before.value.state {
        State::Open => &["ScheduleVisit", "CancelVisit"],
        State::Scheduled => &["ScheduleVisit", "ConfirmAppointment", "ReadVisitBrief", "CheckVisitKit", "StartVisit", "CancelVisit"],
        State::UnderWay => &["ReadVisitBrief", "CheckVisitKit", "EndVisit"],
        State::Done => &["SubmitVisitForm"],
        State::Excluded => &["CancelVisit"],
        State::Closed | State::Cancelled => &[],
    };
    forbids::<Visit, _>("VISIT_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed)
}
