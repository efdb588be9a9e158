//! Which timers an order needs, read off the order itself: what is set and what is not can never disagree for long.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::transition::TimerKey;
use super::work_order::WorkOrder;

impl WorkOrder {
    /// The timers that must exist: the next untaken step of each open running clock, the end of the silence, the judgement
    /// whether it is a major complaint, the end of its window, the end of the longest pause, and the expiry of the customer's form.
    pub fn pending_timers(&self) -> BTreeMap<TimerKey, Timestamp> {
        let pending = self.clocks.iter().filter_map(|clock| Some((clock, clock.next_step_time()?)));
        let steps = pending.map(|(clock, due)| (TimerKey::Clock { clock: clock.name.clone(), cycle: clock.cycle }, due));
        let silence = self.auto_close_time.map(|due| (TimerKey::AutoClose { cycle: self.cycle }, due));
        let judgement = self.major.judge_time.map(|due| (TimerKey::JudgeMajor, due));
        let flag = self.major.flag.as_ref().filter(|flag| !flag.is_cleared);
        let window = flag.and_then(|flag| flag.clear_time).map(|due| (TimerKey::MajorWindow, due));
        let pause = self.suspension().and_then(|suspension| suspension.max_to).map(|due| (TimerKey::PauseOver, due));
        let form = self.awaited_form().map(|form| (TimerKey::CallbackForm, form.expire_time));
        let look = self.dispatch.due.map(|due| (TimerKey::Dispatch, due));
        steps.chain(look).chain(silence).chain(judgement).chain(window).chain(pause).chain(form).collect()
    }
}
