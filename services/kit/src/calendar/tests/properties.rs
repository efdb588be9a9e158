//! Laws that hold for every span, start and pause.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn spans() -> impl Strategy<Value = Span> {
    let clock = (1_u32..5_000).prop_map(|n| format!("{n}min"));
    let office = (1_u32..200).prop_map(|n| format!("{n}h@business"));
    let split = (1_u32..9_000).prop_map(|n| format!("{n}min@split"));
    let night = (1_u32..90).prop_map(|n| format!("{n}h@night"));
    let days = (1_u32..60, prop_oneof![Just("wd"), Just("d"), Just("w")]).prop_map(|(n, unit)| format!("{n}{unit}"));
    let months = (1_u32..9, prop_oneof![Just("mo"), Just("q"), Just("hy")]).prop_map(|(n, unit)| format!("{n}{unit}"));
    prop_oneof![clock, office, split, night, days, months].prop_map(|text| text.parse().unwrap())
}

fn zones() -> impl Strategy<Value = TimeZone> {
    prop_oneof![Just(shanghai()), Just(berlin())]
}

/// Any second from 2024-12 to 2027-01.
fn starts() -> impl Strategy<Value = Timestamp> {
    (1_733_000_000_i64..1_800_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// A closed pause from an hour before the start to about two months after it, at most ten days long.
fn pauses(start: Timestamp) -> impl Strategy<Value = Vec<Pause>> {
    let one = (-3_600_i64..5_000_000, 0_i64..864_000).prop_map(move |(offset, length)| {
        let from = start + SignedDuration::from_secs(offset);
        Pause::new(from, Some(from + SignedDuration::from_secs(length)), "parts")
    });
    prop::collection::vec(one, 0..4)
}

fn case() -> impl Strategy<Value = (Timestamp, Span, TimeZone, Vec<Pause>)> {
    starts().prop_flat_map(|start| (Just(start), spans(), zones(), pauses(start)))
}

fn compute(start: Timestamp, span: &Span, zone: &TimeZone, pauses: &[Pause]) -> Timeline {
    Timeline::compute(&office(), start, span, zone, pauses).unwrap()
}

fn due_of(start: Timestamp, span: &Span, zone: &TimeZone, pauses: &[Pause]) -> Timestamp {
    compute(start, span, zone, pauses).due_time().at().unwrap()
}

proptest! {
    #[test]
    fn due_is_monotone_in_the_start(start in starts(), span in spans(), zone in zones(), later in 0_i64..2_000_000) {
        let calendars = office();
        let first = calendars.due(start, &span, &zone).unwrap().time;
        let second = calendars.due(start + SignedDuration::from_secs(later), &span, &zone).unwrap().time;
        prop_assert!(first > start && first <= second);
    }

    #[test]
    fn without_pauses_a_clock_is_due_as_its_limit((start, span, zone, _) in case(), roll in any::<bool>()) {
        let rules = DueRules { roll_past_rest_day: roll };
        let limit = office().due_with(start, &span, &zone, rules).unwrap();
        let clock = Timeline::compute_with(&office(), start, &span, &zone, &[], rules).unwrap();
        prop_assert_eq!(clock.due_time().at(), Some(limit.time));
        prop_assert_eq!(clock.provisional_years(), limit.provisional_years);
    }

    #[test]
    fn an_empty_pause_changes_nothing((start, span, zone, mut pauses) in case(), offset in 0_i64..5_000_000) {
        let before = compute(start, &span, &zone, &pauses);
        let instant = start + SignedDuration::from_secs(offset);
        pauses.push(Pause::new(instant, Some(instant), "parts"));
        let after = compute(start, &span, &zone, &pauses);
        prop_assert_eq!(before.due_time(), after.due_time());
        prop_assert_eq!(before.intervals(), after.intervals());
    }

    #[test]
    fn another_pause_never_brings_the_due_time_forward((start, span, zone, pauses) in case(), roll in any::<bool>()) {
        let rules = DueRules { roll_past_rest_day: roll };
        let due = |pauses: &[Pause]| {
            Timeline::compute_with(&office(), start, &span, &zone, pauses, rules).unwrap().due_time().at().unwrap()
        };
        for shown in 0..pauses.len() {
            prop_assert!(due(&pauses[..shown]) <= due(&pauses[..=shown]));
        }
    }

    #[test]
    fn splitting_a_pause_in_two_changes_nothing((start, span, zone, pauses) in case(), share in 0_i32..=100) {
        let before = compute(start, &span, &zone, &pauses);
        let split: Vec<Pause> = pauses.iter().flat_map(|pause| {
            let cut = pause.from + (pause.to.unwrap().duration_since(pause.from) / 100) * share;
            [Pause { to: Some(cut), ..pause.clone() }, Pause { from: cut, ..pause.clone() }]
        }).collect();
        let after = compute(start, &span, &zone, &split);
        prop_assert_eq!(before.due_time(), after.due_time());
        prop_assert_eq!(before.intervals(), after.intervals());
    }

    #[test]
    fn intervals_join_and_the_counted_ones_add_up_to_the_span((start, span, _, pauses) in case()) {
        // In a zone without clock changes a counted day is 24 hours, so that the sum can be taken in time.
        let clock = compute(start, &span, &shanghai(), &pauses);
        let due = clock.due_time().at().unwrap();
        let mut cursor = start;
        let mut counted = SignedDuration::ZERO;
        for Interval { from, to, kind } in clock.intervals() {
            prop_assert_eq!(*from, cursor);
            cursor = to.unwrap();
            prop_assert!(cursor > *from);
            if *kind == IntervalKind::Counted {
                counted += cursor.duration_since(*from);
            }
        }
        prop_assert_eq!(cursor, due);
        let local = shanghai().to_datetime(start).date();
        let months = |n: u32| {
            let last = local.checked_add(jiff::Span::new().months(n)).unwrap();
            last.duration_since(local)
        };
        let value = span.value();
        let expected = match span.unit() {
            Unit::Second => SignedDuration::from_secs(value.into()),
            Unit::Minute => SignedDuration::from_mins(value.into()),
            Unit::Hour => SignedDuration::from_hours(value.into()),
            Unit::WorkingDay | Unit::Day => SignedDuration::from_hours(24 * i64::from(value)),
            Unit::Week => SignedDuration::from_hours(7 * 24 * i64::from(value)),
            Unit::Month => months(value),
            Unit::Quarter => months(3 * value),
            Unit::HalfYear => months(6 * value),
            Unit::Year => months(12 * value),
        };
        prop_assert_eq!(counted, expected);
        prop_assert_eq!(clock.percent_at(due), 100);
    }

    #[test]
    fn percentages_rise_and_hundred_is_due((start, span, zone, pauses) in case(), step in 0_u32..200) {
        let clock = compute(start, &span, &zone, &pauses);
        prop_assert_eq!(clock.at_percent(0).filter(|_| pauses.is_empty()), Some(start).filter(|_| pauses.is_empty()));
        prop_assert_eq!(clock.at_percent(100), clock.due_time().at());
        prop_assert!(clock.at_percent(step).unwrap() <= clock.at_percent(step + 1).unwrap());
    }

    #[test]
    fn a_pause_of_a_24x7_clock_moves_it_by_its_length(start in starts(), minutes in 2_u32..5_000, length in 0_i64..90_000) {
        let span: Span = format!("{minutes}min").parse().unwrap();
        let from = start + SignedDuration::from_secs(60);
        let paused = [Pause::new(from, Some(from + SignedDuration::from_secs(length)), "parts")];
        let moved = due_of(start, &span, &shanghai(), &paused);
        prop_assert_eq!(moved, due_of(start, &span, &shanghai(), &[]) + SignedDuration::from_secs(length));
    }
}
