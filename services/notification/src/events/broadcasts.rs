//! What is told of broadcasts, and the timers that keep them going.

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use steward_kit::proto::to_timestamp;
use steward_kit_store::{Effects, NewEvent, TimerChange};
use steward_proto::notification::v1 as pb;

use crate::contract::Code;
use crate::domain::broadcast::Broadcast;
use crate::domain::codes::BroadcastState;

/// Timer kind: the pages of a broadcast are made from now on, or go on.
pub(crate) const BROADCAST_DUE: &str = "broadcast_due";

/// Timer kind: a broadcast shall be done by now.
pub(crate) const BROADCAST_LATE: &str = "broadcast_late";

/// What follows from a new broadcast.
pub(crate) fn of_created(broadcast: &Broadcast) -> Effects {
    let late = broadcast.due_time.map(|due| TimerChange::set(BROADCAST_LATE, broadcast.id, "", estate(broadcast), due));
    Effects { timers: std::iter::once(begin(broadcast, broadcast.start_time)).chain(late).collect(), ..Effects::none() }
}

/// The timer that has the next page made.
pub(crate) fn begin(broadcast: &Broadcast, at: Timestamp) -> TimerChange {
    TimerChange::set(BROADCAST_DUE, broadcast.id, "", estate(broadcast), at)
}

/// What follows from a page. Pages follow each other without a timer; the one that is set for the end of a lease finds a broadcast
/// whose worker died.
pub(crate) fn of_page(before: &Broadcast, after: &Broadcast, lease_end: Timestamp, now: Timestamp) -> Effects {
    let mut effects = Effects::none();
    if before.begin_time.is_none() {
        effects.events.push(event(after, now, &pb::BroadcastStarted { broadcast: Some(facts(after)) }));
    }
    if after.state == BroadcastState::Done {
        let (household_count, message_count) = (after.household_count, after.message_count);
        let payload = pb::BroadcastDone { broadcast: Some(facts(after)), household_count, message_count };
        effects.events.push(event(after, now, &payload));
        effects.timers.push(TimerChange::cancel_all(after.id));
    } else {
        effects.timers.push(begin(after, lease_end));
    }
    effects
}

/// What follows from what somebody did to a broadcast.
pub(crate) fn of_change(after: &Broadcast, now: Timestamp) -> Effects {
    let mut effects = Effects::none();
    match after.state {
        BroadcastState::Scheduled | BroadcastState::Running => effects.timers.push(begin(after, after.start_time.max(now))),
        BroadcastState::Paused => effects.timers.push(TimerChange::cancel(BROADCAST_DUE, after.id, "")),
        BroadcastState::Stopped => {
            let (household_count, message_count) = (after.household_count, after.message_count);
            let payload = pb::BroadcastStopped { broadcast: Some(facts(after)), household_count, message_count };
            effects.events.push(event(after, now, &payload));
            effects.timers.push(TimerChange::cancel_all(after.id));
        }
        BroadcastState::Done => {}
    }
    effects
}

/// A broadcast was not done when it was due.
pub(crate) fn late(broadcast: &Broadcast, due: Timestamp) -> NewEvent {
    let payload = pb::BroadcastLate {
        broadcast: Some(facts(broadcast)),
        due_time: Some(to_timestamp(due)),
        household_count: broadcast.household_count,
    };
    event(broadcast, due, &payload)
}

fn facts(broadcast: &Broadcast) -> pb::BroadcastFacts {
    pb::BroadcastFacts {
        broadcast_id: broadcast.id.to_string(),
        estate_ids: broadcast.estate_ids.iter().map(ToString::to_string).collect(),
        message_class: broadcast.class.number(),
        template_key: broadcast.template_key.clone(),
        subject_kind: broadcast.subject_kind.clone(),
        subject_id: broadcast.subject_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn event<M: prost::Message + prost::Name>(broadcast: &Broadcast, time: Timestamp, payload: &M) -> NewEvent {
    NewEvent::new(broadcast.id, estate(broadcast), time, payload)
}

/// The estate of a broadcast to one; what goes to several belongs to the group.
fn estate(broadcast: &Broadcast) -> Option<EstateId> {
    match broadcast.estate_ids.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
