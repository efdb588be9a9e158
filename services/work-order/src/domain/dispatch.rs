//! An order looks for somebody who takes it (WO-23): it is offered to one after the other, or opened to everybody, and waits for the duty
//! manager when nobody is left. By a timer that is due at once, so that nobody who reports waits for the comparing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::codes;

use super::actor;
use super::context::Context;
use super::dispatch_policy::{DispatchMode, DispatchTerms};
use super::dispatch_rank::{DispatchList, Roster, rank};
use super::draft::{Detail, Draft};
use super::history::{Action, HistoryEntry};
use super::refusal::Refusal;
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::WorkOrder;

codes! {
    /// Why an order waits for the duty manager.
    DutyReason {
        /// Nobody of the roster is on shift.
        NobodyOnShift = "nobody_on_shift",
        /// Nobody who is on shift may have it.
        NobodyEligible = "nobody_eligible",
        /// Those to whom it was offered did not take it, or nobody came.
        Exhausted = "exhausted",
    }
}

/// How far an order has come in its look for somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The cycle that the rest is about.
    pub cycle: u32,
    /// When somebody is looked for next; `None` while nobody is.
    pub due: Option<Timestamp>,
    /// To whom it is offered now.
    pub offer: Option<Offer>,
    /// To whom it was offered in this cycle.
    pub asked: Vec<String>,
    /// Whoever may and comes first takes it.
    pub is_open: bool,
    /// Since when it waits for the duty manager.
    pub queue_time: Option<Timestamp>,
}

/// Somebody may take the order before anybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Staff subject.
    pub to: String,
    /// Since when.
    pub at: Timestamp,
    /// Until just before when.
    pub until: Timestamp,
}

impl Dispatch {
    /// Whether it was offered to somebody in this cycle.
    pub fn was_asked(&self, subject: &str) -> bool {
        self.asked.iter().any(|asked| asked == subject)
    }

    /// Looks anew: the order is another than was offered.
    pub(super) fn restart(&mut self) {
        *self = Self { cycle: self.cycle, ..Self::default() };
    }
}

/// The timer of the look fired; it no longer exists. An order that has moved on makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn dispatch_due(order: &WorkOrder, roster: &Roster, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::Dispatch);
    draft.resume_if_over()?;
    let Some(terms) = draft.order.terms.dispatch.clone().filter(|_| draft.order.dispatch.due.is_some_and(|due| due <= now)) else {
        return Ok(draft.finish());
    };
    draft.lapse_offer();
    let list = rank(&draft.order, roster, &terms, now);
    let asked = u32::try_from(draft.order.dispatch.asked.len()).unwrap_or(u32::MAX);
    match terms.mode {
        DispatchMode::Offer | DispatchMode::Rotation => match list.ranked.first().map(|first| first.principal.clone()) {
            Some(first) if asked < terms.max_offers => draft.offer_to(first, &terms, &list)?,
            Some(_) => draft.await_duty_manager(DutyReason::Exhausted, &terms, &list),
            None => draft.await_duty_manager(why_nobody(&list, asked), &terms, &list),
        },
        DispatchMode::Grab if draft.order.dispatch.is_open => draft.await_duty_manager(DutyReason::Exhausted, &terms, &list),
        DispatchMode::Grab if list.ranked.is_empty() => draft.await_duty_manager(why_nobody(&list, asked), &terms, &list),
        DispatchMode::Grab => draft.open_to_all(&terms, &list)?,
        DispatchMode::Manual => {}
    }
    Ok(draft.finish())
}

fn why_nobody(list: &DispatchList, asked: u32) -> DutyReason {
    match (asked, list.is_nobody_on_shift()) {
        (1.., _) => DutyReason::Exhausted,
        (0, true) => DutyReason::NobodyOnShift,
        (0, false) => DutyReason::NobodyEligible,
    }
}

impl Draft<'_> {
    /// An offer that nobody answered ran out at its end, whenever that is noticed.
    pub(super) fn lapse_offer(&mut self) {
        let Some(offer) = self.order.dispatch.offer.take_if(|offer| offer.until <= self.now) else { return };
        self.note(Action::OfferLapsed, offer.until, [("offered_to", offer.to)]);
    }

    fn offer_to(&mut self, to: String, terms: &DispatchTerms, list: &DispatchList) -> Result<(), Refusal> {
        let until = self.accept_until(terms)?;
        let dispatch = &mut self.order.dispatch;
        dispatch.asked.push(to.clone());
        dispatch.due = Some(until);
        dispatch.offer = Some(Offer { to: to.clone(), at: self.now, until });
        self.tell(self.now, Fact::Offered { to: to.clone(), until });
        self.note_list(Action::Offer, terms, list, [("offered_to", to), ("until", until.to_string())]);
        Ok(())
    }

    fn open_to_all(&mut self, terms: &DispatchTerms, list: &DispatchList) -> Result<(), Refusal> {
        let until = self.accept_until(terms)?;
        self.order.dispatch.due = Some(until);
        self.order.dispatch.is_open = true;
        self.note_list(Action::OpenToAll, terms, list, [("until", until.to_string())]);
        Ok(())
    }

    fn await_duty_manager(&mut self, reason: DutyReason, terms: &DispatchTerms, list: &DispatchList) {
        self.order.dispatch.due = None;
        self.order.dispatch.queue_time = Some(self.now);
        self.tell(self.now, Fact::DutyManagerCalled { reason, notify_roles: terms.escalate_roles.clone() });
        self.note_list(Action::AwaitDutyManager, terms, list, [("duty_reason", reason.to_string())]);
    }

    fn accept_until(&self, terms: &DispatchTerms) -> Result<Timestamp, Refusal> {
        let due = self.ctx.calendars.due(self.now, &terms.accept_within, self.ctx.zone);
        Ok(due.map_err(|error| Refusal::of_calendar("accept_within", error))?.time)
    }

    fn note_list<const N: usize>(&mut self, action: Action, terms: &DispatchTerms, list: &DispatchList, codes: [(&str, String); N]) {
        let mut detail: Detail = list.detail().collect();
        detail.insert("mode".to_owned(), terms.mode.to_string());
        detail.extend(codes.map(|(key, value)| (key.to_owned(), value)));
        self.write(action, self.now, detail);
    }

    /// What a verb leaves behind: an order that is nobody's looks for somebody, one that is somebody's or stands still does not.
    pub(super) fn look_for_somebody(&mut self) {
        let now = self.now;
        let (is_nobodys, stands_still, is_manual) =
            (self.order.state.is_nobodys(), self.order.is_suspended(), self.order.terms.dispatch.is_none());
        let dispatch = &mut self.order.dispatch;
        if dispatch.cycle != self.order.cycle && !is_manual {
            *dispatch = Dispatch { cycle: self.order.cycle, ..Dispatch::default() };
        }
        if !is_nobodys || stands_still || is_manual {
            (dispatch.due, dispatch.offer, dispatch.is_open) = (None, None, false);
        } else if dispatch.queue_time.is_none() && dispatch.due.is_none() {
            dispatch.due = Some(now);
        }
        if !is_nobodys || is_manual {
            dispatch.queue_time = None;
        }
    }
}

/// One look for somebody, as a line of the history holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchRun {
    /// Position of the line.
    pub position: u32,
    /// When.
    pub at: Timestamp,
    /// How orders like it come to somebody.
    pub mode: DispatchMode,
    /// To whom it was offered.
    pub offered_to: Option<String>,
    /// Until when the offer stood.
    pub until: Option<Timestamp>,
    /// Why it waits for the duty manager.
    pub duty_reason: Option<DutyReason>,
    /// Who could have it and who not.
    pub list: DispatchList,
}

impl DispatchRun {
    /// The lines of the history that hold one.
    pub const ACTIONS: [Action; 3] = [Action::Offer, Action::OpenToAll, Action::AwaitDutyManager];
}

/// The look that a line of the history is; `None` for other lines.
pub fn dispatch_run(line: &HistoryEntry) -> Option<DispatchRun> {
    DispatchRun::ACTIONS.contains(&line.action).then_some(())?;
    let code = |key: &str| line.detail.get(key);
    Some(DispatchRun {
        position: line.position,
        at: line.occur_time,
        mode: DispatchMode::parse(code("mode")?)?,
        offered_to: code("offered_to").cloned(),
        until: code("until").and_then(|until| until.parse().ok()),
        duty_reason: code("duty_reason").and_then(|reason| DutyReason::parse(reason)),
        list: DispatchList::of_detail(&line.detail),
    })
}
