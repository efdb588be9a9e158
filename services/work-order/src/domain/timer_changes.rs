//! The timers of an order: what each waits for, and what changes of them from one state of the order to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::ids::WorkOrderId;

/// What a timer of an order waits for; there is one of each at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// The next step of a clock.
    Clock {
        /// Name of the clock.
        clock: String,
        /// Cycle of the order.
        cycle: u32,
    },
    /// The end of the silence after completion (WO-78).
    AutoClose {
        /// Cycle of the order.
        cycle: u32,
    },
    /// The judgement whether it is a major complaint (WO-38); due at once.
    JudgeMajor,
    /// The end of the window in which it counts as one.
    MajorWindow,
    /// The end of the longest pause that the policy grants (WO-43).
    PauseOver,
    /// Something became of the order that this one was merged into (WO-39); due at once.
    FollowLead,
    /// The reporter of a duplicate is dissatisfied (WO-39); due at once.
    Dissent,
    /// Somebody is looked for: at once, or when an offer ran out (WO-23).
    Dispatch,
    /// The expiry of the customer's form in the app (WO-29).
    CallbackForm,
}

/// A change of a timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// The timer exists and is due then.
    Set {
        /// Which.
        timer: TimerKey,
        /// When it is due.
        due: Timestamp,
    },
    /// A timer of another order is due then.
    Wake {
        /// Whose.
        order: WorkOrderId,
        /// Which.
        timer: TimerKey,
        /// When it is due.
        due: Timestamp,
    },
    /// No such timer.
    Cancel {
        /// Which.
        timer: TimerKey,
    },
}

/// The changes that make `after` of `before`. `fired` is the key of a timer that no longer exists because it fired.
pub(super) fn timer_changes(
    mut before: BTreeMap<TimerKey, Timestamp>,
    after: BTreeMap<TimerKey, Timestamp>,
    fired: Option<&TimerKey>,
) -> Vec<TimerChange> {
    if let Some(fired) = fired {
        before.remove(fired);
    }
    let mut changes = Vec::new();
    for (timer, due) in after {
        if before.remove(&timer) != Some(due) {
            changes.push(TimerChange::Set { timer, due });
        }
    }
    changes.extend(before.into_keys().map(|timer| TimerChange::Cancel { timer }));
    changes
}
