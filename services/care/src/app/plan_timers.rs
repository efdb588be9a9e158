//! The timers of planning: each day, and out of turn because something changed.

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use steward_kit_store::TimerChange;

use crate::domain::base::TimerKind;
use crate::domain::ids::ProgrammeId;

/// The timer that plans a programme in an estate out of turn, because something changed. Its key is its own for each second: a
/// planning under way, which sets the daily timer as it ends, does not swallow what changed meanwhile, and a change that comes later
/// does not push back a planning that is due.
pub(super) fn plan_timer(programme: ProgrammeId, estate: EstateId, due: Timestamp) -> TimerChange {
    TimerChange::set(TimerKind::ProgrammePlan.as_str(), programme, format!("{estate}/{}", due.as_second()), estate, due)
}

/// The timer that plans a programme in an estate each day; and the lease of a planning that was begun.
pub(crate) fn daily_timer(programme: ProgrammeId, estate: EstateId, due: Timestamp) -> TimerChange {
    TimerChange::set(TimerKind::ProgrammePlan.as_str(), programme, estate.to_string(), estate, due)
}

/// The estate that the key of such a timer names.
pub(crate) fn estate_of_key(key: &str) -> Option<EstateId> {
    EstateId::parse(key.split_once('/').map_or(key, |(estate, _)| estate)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(change: TimerChange) -> String {
        match change {
            TimerChange::Set { key, .. } => key,
            other @ (TimerChange::Cancel { .. } | TimerChange::CancelAll { .. }) => panic!("is set: {other:?}"),
        }
    }

    #[test]
    fn a_later_change_does_not_push_back_what_is_due_and_every_key_names_its_estate() {
        let (programme, estate, now) = (ProgrammeId::new(), EstateId::new(), "2026-04-01T01:00:00Z".parse().unwrap());
        let soon = now + jiff::SignedDuration::from_secs(30);
        let keys = [plan_timer(programme, estate, now), plan_timer(programme, estate, soon), daily_timer(programme, estate, now)].map(key);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
        assert!(keys.iter().all(|key| estate_of_key(key) == Some(estate)), "{keys:?}");
    }
}
