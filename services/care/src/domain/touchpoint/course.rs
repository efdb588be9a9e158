//! What its time, the facts, receipts and visits do to a touchpoint.

use jiff::Timestamp;
use steward_kit::{Error, Result};

use super::{Fact, State, Step, Touchpoint, Verdict};
use crate::domain::base::{Change, Promise, TimerKind};
use crate::domain::ids::VisitId;
use crate::domain::programme::Action;
use crate::domain::terms::{Rules, counts_working_days};

impl Touchpoint {
    pub(super) fn step(&mut self, time: Timestamp, code: &str, reason: &str, actor: &str) {
        let (reason_code, actor_subject) = (reason.to_owned(), actor.to_owned());
        self.steps.push(Step { time, code: code.to_owned(), reason_code, actor_subject });
    }

    /// The end of its window: as long as it may wait, or with its period.
    fn window(&self, rules: &Rules) -> Result<Option<Timestamp>> {
        match (&self.act_within, self.period_end) {
            (Some(span), _) => rules.due(self.due_time, span).map(Some),
            (None, Some(last)) => rules.end_of(last).map(|end| Some(end.max(self.due_time))),
            (None, None) => Ok(None),
        }
    }

    /// As it is first planned, at `now`.
    pub fn planned(mut self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        self.window_end = self.window(rules)?;
        if self.state == State::HeldOut {
            self.step(now, "held_out", "", "");
            return Ok(Change::to(self));
        }
        self.state = State::Planned;
        self.step(now, "planned", "", "");
        let due = self.due_time;
        Ok(Change::to(self).promise(Promise::set(TimerKind::TouchpointDue, due)))
    }

    /// At the moment of acting: it is done, opened for whoever does it, left out, or its reason is gone.
    pub fn judged(&self, verdict: &Verdict, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let mut after = self.clone();
        match (self.state, verdict) {
            (State::Planned, Verdict::Member { customer }) => {
                after.customer_id = customer.or(self.customer_id);
                after.open(now, rules).map(Some)
            }
            (State::Planned | State::Excluded, Verdict::Excluded(reason)) => {
                let is_news = self.state == State::Planned || self.reason_code != *reason;
                if self.state == State::Excluded && self.window_end.is_some_and(|end| end <= now) {
                    return after.cancelled("window_over", now).map(Some);
                }
                // Looked at again each day (CA-39), and as soon as a fact changes.
                let look = rules.at(rules.date(now).tomorrow().map_err(Error::internal)?, self.local_time)?;
                after.state = State::Excluded;
                after.reason_code.clone_from(reason);
                after.look_time = Some(look);
                if is_news {
                    after.step(now, "excluded", reason, "");
                }
                let change = Change::to(after).promise(Promise::set(TimerKind::TouchpointDue, look));
                Ok(Some(if is_news { change.tell(Fact::Excluded) } else { change }))
            }
            (State::Excluded, Verdict::Member { .. }) => {
                // The reason is over: planned again, for the next time of day at which such things are done.
                let today = rules.at(rules.date(now), self.local_time)?;
                let next =
                    if today >= now { today } else { rules.at(rules.date(now).tomorrow().map_err(Error::internal)?, self.local_time)? };
                after.state = State::Planned;
                after.reason_code = String::new();
                after.look_time = None;
                after.due_time = next.max(self.due_time);
                after.window_end = after.window(rules)?;
                after.step(now, "included", &self.reason_code, "");
                let due = after.due_time;
                Ok(Some(Change::to(after).tell(Fact::Included).promise(Promise::set(TimerKind::TouchpointDue, due))))
            }
            (State::Planned | State::Excluded, Verdict::NotMember) => after.cancelled("not_in_audience", now).map(Some),
            (
                State::Due
                | State::Acted
                | State::Confirmed
                | State::Overdue
                | State::Cancelled
                | State::Skipped
                | State::Suppressed
                | State::HeldOut,
                _,
            ) => Ok(None),
        }
    }

    /// Its time has come and nothing stands against it.
    fn open(mut self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        match &self.action {
            Action::Message { .. } | Action::Survey { .. } | Action::Order { .. } => {
                self.state = State::Acted;
                self.act_time = Some(now);
                self.step(now, "acted", "", "");
                let confirm = rules.due_if(now, self.confirm_within.as_ref())?;
                Ok(Change::to(self)
                    .tell(Fact::ActionDue)
                    .promise(Promise::cancel(TimerKind::TouchpointDue))
                    .promise(Promise::at(TimerKind::TouchpointConfirm, confirm)))
            }
            Action::Task { .. } | Action::Visit { .. } => {
                self.state = State::Due;
                self.step(now, "due", "", "");
                let window = self.window_end;
                Ok(Change::to(self)
                    .tell(Fact::ActionDue)
                    .promise(Promise::cancel(TimerKind::TouchpointDue))
                    .promise(Promise::at(TimerKind::TouchpointWindow, window)))
            }
        }
    }

    pub(super) fn cancelled(mut self, reason: &str, now: Timestamp) -> Result<Change<Self>> {
        self.state = State::Cancelled;
        self.reason_code = reason.to_owned();
        self.look_time = None;
        self.step(now, "cancelled", reason, "");
        Ok(Change::to(self)
            .promise(Promise::cancel(TimerKind::TouchpointDue))
            .promise(Promise::cancel(TimerKind::TouchpointWindow))
            .promise(Promise::cancel(TimerKind::TouchpointConfirm)))
    }

    /// Its reason is gone, unless it was done already.
    pub fn cancel(&self, reason: &str, now: Timestamp) -> Result<Option<Change<Self>>> {
        match self.state {
            State::Planned | State::Due | State::Excluded => self.clone().cancelled(reason, now).map(Some),
            State::Acted | State::Confirmed | State::Overdue | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => {
                Ok(None)
            }
        }
    }

    /// A fact of the household changed: one that is left out is looked at now.
    pub fn look_again(&self, now: Timestamp) -> Option<Change<Self>> {
        (self.state == State::Excluded && self.look_time != Some(now)).then(|| {
            let after = Self { look_time: Some(now), ..self.clone() };
            Change::to(after).promise(Promise::set(TimerKind::TouchpointDue, now))
        })
    }

    /// It was to be done, or confirmed, until now.
    pub fn lapse(&self, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Due | State::Acted => {
                let reason = if self.state == State::Due { "not_done" } else { "not_confirmed" };
                let mut after = Self { state: State::Overdue, reason_code: reason.to_owned(), ..self.clone() };
                after.step(now, "overdue", reason, "");
                Some(Change::to(after).tell(Fact::Overdue))
            }
            State::Planned
            | State::Excluded
            | State::Confirmed
            | State::Overdue
            | State::Cancelled
            | State::Skipped
            | State::Suppressed
            | State::HeldOut => None,
        }
    }

    /// It arrived, as a receipt, a visit or a talk shows; `None` when there is nothing to confirm.
    pub fn arrived(&self, how: &str, actor: &str, at: Timestamp, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Planned | State::Due | State::Excluded | State::Acted | State::Overdue => {
                let mut after = self.clone();
                after.state = State::Confirmed;
                after.reason_code = String::new();
                after.look_time = None;
                after.act_time = self.act_time.or(Some(at));
                after.confirm_time = Some(at);
                if after.actor_subject.is_empty() {
                    actor.clone_into(&mut after.actor_subject);
                }
                after.step(now, "confirmed", how, actor);
                Some(
                    Change::to(after)
                        .tell(Fact::Confirmed)
                        .promise(Promise::cancel(TimerKind::TouchpointDue))
                        .promise(Promise::cancel(TimerKind::TouchpointWindow))
                        .promise(Promise::cancel(TimerKind::TouchpointConfirm)),
                )
            }
            State::Confirmed | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => None,
        }
    }

    /// The policy holds back what it is about in the household's situation (CA-12). It is not said later either: what would be sold at
    /// the wrong moment is not sold at all.
    pub fn withheld(&self, reason: &str, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Planned | State::Excluded => {
                let mut after = Self { state: State::Suppressed, reason_code: reason.to_owned(), look_time: None, ..self.clone() };
                after.step(now, "suppressed", reason, "");
                Some(Change::to(after).promise(Promise::cancel(TimerKind::TouchpointDue)))
            }
            State::Due
            | State::Acted
            | State::Confirmed
            | State::Overdue
            | State::Cancelled
            | State::Skipped
            | State::Suppressed
            | State::HeldOut => None,
        }
    }

    /// Held back on its way, by the contact ledger or a channel (CA-12).
    pub fn held_back(&self, reason: &str, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Acted | State::Overdue => {
                let mut after = Self { state: State::Suppressed, reason_code: reason.to_owned(), ..self.clone() };
                after.step(now, "suppressed", reason, "");
                Some(Change::to(after).promise(Promise::cancel(TimerKind::TouchpointConfirm)))
            }
            State::Planned
            | State::Due
            | State::Excluded
            | State::Confirmed
            | State::Cancelled
            | State::Skipped
            | State::Suppressed
            | State::HeldOut => None,
        }
    }

    /// A calendar was loaded anew: what is counted in working days may begin or end on another day. `due` is when it is due by its
    /// definition now. `None` when nothing moves.
    pub fn recounted(&self, due: Option<Timestamp>, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        match self.state {
            State::Due => {
                let window_end = self.window(rules)?;
                if window_end == self.window_end {
                    return Ok(None);
                }
                let change = Change::to(Self { window_end, ..self.clone() });
                Ok(Some(change.promise(Promise::at(TimerKind::TouchpointWindow, window_end))))
            }
            State::Planned => {
                let mut after = Self { due_time: due.map_or(self.due_time, |due| due.max(now)), ..self.clone() };
                after.window_end = after.window(rules)?;
                if after == *self {
                    return Ok(None);
                }
                after.step(now, "moved", "calendar", "");
                let due = after.due_time;
                Ok(Some(Change::to(after).promise(Promise::set(TimerKind::TouchpointDue, due))))
            }
            State::Excluded => {
                let window_end = self.window(rules)?;
                Ok((window_end != self.window_end).then(|| Change::to(Self { window_end, ..self.clone() })))
            }
            State::Acted => {
                let Some((done, span)) = self.act_time.zip(self.confirm_within.as_ref()) else { return Ok(None) };
                // The promise alone holds the instant: set again, it stands where it stood or where it belongs.
                let promise = Promise::set(TimerKind::TouchpointConfirm, rules.due(done, span)?);
                Ok(counts_working_days(span).then(|| Change::to(self.clone()).promise(promise)))
            }
            State::Confirmed | State::Overdue | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => Ok(None),
        }
    }
}

/// The visit of a round was made: what it carries out is done and has arrived.
pub fn visited(touchpoint: &Touchpoint, visit: VisitId, actor: &str, at: Timestamp, now: Timestamp) -> Option<Change<Touchpoint>> {
    let change = touchpoint.arrived("visit", actor, at, now)?;
    Some(Change { after: Touchpoint { proof_references: vec![format!("visit/{visit}")], ..change.after }, ..change })
}
