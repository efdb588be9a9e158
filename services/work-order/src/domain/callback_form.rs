//! The customer's form in the app comes first, and a phone call if it is not answered in time (WO-29).
//!
//! The form is the customer's own `RecordCallback`. It is answered as long as the callback is owed, also after its time: what a customer
//! says late is worth hearing, and settles the call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;

use super::actor;
use super::clock::Clock;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::terms::CALLBACK_CLOCK;
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::WorkOrder;

/// What a policy says about the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormTerms {
    /// How long it is waited for.
    pub expiry: Span,
    /// Roles told when it was not answered.
    pub phone_roles: Vec<String>,
}

/// The form of one cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackForm {
    /// Cycle of the order.
    pub cycle: u32,
    /// Until when it is waited for.
    pub expire_time: Timestamp,
    /// It was not answered by then.
    pub expired: bool,
}

/// The timer of a form fired; it no longer exists. An order that has moved on makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn callback_form_due(order: &WorkOrder, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::CallbackForm);
    draft.close_if_silent()?;
    draft.expire_form_if_over();
    Ok(draft.finish())
}

impl WorkOrder {
    /// The form that is waited for: not answered, not expired, and the callback still owed.
    pub fn awaited_form(&self) -> Option<CallbackForm> {
        self.owed_callback().and(self.callback_form).filter(|form| form.cycle == self.cycle && !form.expired)
    }

    /// Until when somebody has to phone; `None` while nobody has to.
    pub fn call_due_time(&self) -> Option<Timestamp> {
        if self.awaited_form().is_some() { None } else { self.owed_callback()?.due_time }
    }

    fn owed_callback(&self) -> Option<&Clock> {
        self.open_clocks().find(|clock| clock.name == CALLBACK_CLOCK && clock.cycle == self.cycle)
    }
}

impl Draft<'_> {
    /// From the completion on, the form is waited for.
    pub(super) fn await_form(&mut self, completed: Timestamp) -> Result<(), Refusal> {
        if self.order.owed_callback().is_none() {
            return Ok(());
        }
        let Some(terms) = self.order.terms.callback.as_ref().and_then(|terms| terms.form.as_ref()) else { return Ok(()) };
        let due = self.ctx.calendars.due(completed, &terms.expiry, self.ctx.zone);
        let expire_time = due.map_err(|error| Refusal::of_calendar("occur_time", error))?.time;
        self.order.callback_form = Some(CallbackForm { cycle: self.order.cycle, expire_time, expired: false });
        Ok(())
    }

    /// A form that was not answered by now makes a phone call owed from the instant at which it expired.
    fn expire_form_if_over(&mut self) {
        let Some(form) = self.order.awaited_form().filter(|form| form.expire_time <= self.now) else { return };
        self.order.callback_form = Some(CallbackForm { expired: true, ..form });
        let phone_roles = self.order.terms.callback.as_ref().and_then(|terms| terms.form.as_ref()).map(|form| form.phone_roles.clone());
        let Some(due_time) = self.order.call_due_time() else { return };
        self.tell(form.expire_time, Fact::CallbackFormExpired { due_time, notify_roles: phone_roles.unwrap_or_default() });
        self.note(Action::CallbackFormExpired, form.expire_time, []);
    }
}
