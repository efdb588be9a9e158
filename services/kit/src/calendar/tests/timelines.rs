//! Clocks with pauses.

use jiff::SignedDuration;

use super::*;

fn timeline(start: &str, limit: &str, pauses: &[Pause]) -> Timeline {
    Timeline::compute(&office(), at(start), &span(limit), &shanghai(), pauses).unwrap()
}

fn due_at(start: &str, limit: &str, pauses: &[Pause]) -> Timestamp {
    timeline(start, limit, pauses).due_time().at().unwrap()
}

fn hours(count: i64) -> Amount {
    Amount::Time(SignedDuration::from_hours(count))
}

/// A limit of a lifetime that begins at the beginning of the calendar, which the rest of the calendar is cut by.
#[test]
fn long_limits_in_long_stretches_are_exact() {
    let start = at("0001-01-01T00:00");
    let clock = timeline("0001-01-01T00:00", "850000h", &[]);
    let due = start + SignedDuration::from_hours(850_000);
    assert_eq!(clock.due_time().at(), Some(due));
    assert_eq!(clock.counted_until(due), hours(850_000));
    assert_eq!(
        clock.percent_at(Timestamp::MAX),
        u32::try_from((Timestamp::MAX.duration_since(start).as_hours() + 1) * 100 / 850_000).unwrap()
    );
}

/// WO-43: waiting five hours for parts moves the clock by five hours
#[test]
fn a_pause_moves_a_clock_by_what_it_would_have_counted() {
    let parts = [pause("2026-03-02T12:00", "2026-03-02T17:00")];
    assert_eq!(due_at("2026-03-02T10:00", "24h", &parts), at("2026-03-03T15:00"));
    assert_eq!(due_at("2026-03-02T10:00", "2h", &parts), at("2026-03-02T12:00"), "due when the pause begins");
    assert_eq!(due_at("2026-03-02T13:00", "2h", &parts), at("2026-03-02T19:00"), "started inside the pause");
    let evening = [pause("2026-03-02T16:00", "2026-03-03T10:00")];
    assert_eq!(due_at("2026-03-02T15:00", "4h@business", &evening), at("2026-03-03T13:00"));
    let night = [pause("2026-03-02T19:00", "2026-03-03T08:00")];
    assert_eq!(due_at("2026-03-02T15:00", "4h@business", &night), at("2026-03-03T10:00"), "nothing was missed");
}

/// WO-43
#[test]
fn a_day_counts_if_the_clock_runs_when_it_ends() {
    let monday = "2026-03-02T09:00";
    let with = |from, to| due_at(monday, "3wd", &[pause(from, to)]);
    assert_eq!(due_at(monday, "3wd", &[]), at("2026-03-05T24:00"));
    assert_eq!(with("2026-03-03T10:00", "2026-03-03T15:00"), at("2026-03-05T24:00"), "inside one day");
    assert_eq!(with("2026-03-03T10:00", "2026-03-04T09:00"), at("2026-03-06T24:00"), "over one end of day");
    assert_eq!(with("2026-03-03T00:00", "2026-03-04T00:00"), at("2026-03-06T24:00"), "exactly one day");
    assert_eq!(with("2026-03-05T23:00", "2026-03-06T08:00"), at("2026-03-06T24:00"), "on the last evening");
    assert_eq!(with("2026-03-03T10:00", "2026-03-06T09:00"), at("2026-03-10T24:00"), "three ends, then a weekend");
    let over_weekend = |from, to| due_at("2026-03-05T09:00", "3wd", &[pause(from, to)]);
    assert_eq!(over_weekend("2026-03-07T00:00", "2026-03-09T00:00"), at("2026-03-10T24:00"), "inside rest days");
    assert_eq!(over_weekend("2026-03-07T10:00", "2026-03-08T20:00"), at("2026-03-10T24:00"));
    assert_eq!(over_weekend("2026-03-06T18:00", "2026-03-09T09:00"), at("2026-03-11T24:00"));
    assert_eq!(due_at(monday, "7d", &[pause("2026-03-04T10:00", "2026-03-06T09:00")]), at("2026-03-11T24:00"));
}

/// WO-43
#[test]
fn an_open_pause_suspends_the_clock() {
    let open = |from| [Pause::new(at(from), None, "customer")];
    let clock = timeline("2026-03-02T10:00", "24h", &open("2026-03-02T15:00"));
    assert_eq!(clock.due_time(), DueTime::Suspended { counted: hours(5), remaining: hours(19) });
    assert_eq!(clock.at_percent(20), Some(at("2026-03-02T14:48")));
    assert_eq!(clock.at_percent(50), None);
    assert_eq!(clock.counted_until(at("2026-03-09T00:00")), hours(5));
    assert_eq!(clock.intervals().last().unwrap().to, None);
    let days = timeline("2026-03-02T09:00", "3wd", &open("2026-03-04T10:00"));
    let suspended = DueTime::Suspended { counted: Amount::Days(1), remaining: Amount::Days(2) };
    assert_eq!(days.due_time(), suspended);
    let kinds: Vec<_> = days.intervals().iter().map(|interval| interval.kind.clone()).collect();
    assert_eq!(kinds, [IntervalKind::StartDay, IntervalKind::Counted, IntervalKind::Paused { reason: "customer".into() }]);
    let over = timeline("2026-03-02T10:00", "2h", &open("2026-03-02T15:00"));
    assert_eq!(over.due_time().at(), Some(at("2026-03-02T12:00")), "it was due before");
    assert_eq!(over.at_percent(400), None);
}

/// WO-44: 50, 80, 100, 150 percent
#[test]
fn percentages_go_on_after_the_due_time() {
    let minutes = timeline("2026-03-02T10:00", "30min", &[]);
    let steps: Vec<_> = [0, 50, 80, 100, 150].map(|step| minutes.at_percent(step).unwrap()).into();
    let expected = ["2026-03-02T10:00", "2026-03-02T10:15", "2026-03-02T10:24", "2026-03-02T10:30", "2026-03-02T10:45"];
    assert_eq!(steps, expected.map(at));
    let office = timeline("2026-03-06T16:00", "4h@business", &[]);
    assert_eq!(office.at_percent(50), Some(at("2026-03-06T18:00")));
    assert_eq!(office.at_percent(150), Some(at("2026-03-09T13:00")));
    let days = timeline("2026-03-04T09:00", "2wd", &[]);
    assert_eq!(days.at_percent(25), Some(at("2026-03-05T12:00")));
    assert_eq!(days.at_percent(100), Some(at("2026-03-06T24:00")));
    assert_eq!(days.at_percent(150), Some(at("2026-03-09T24:00")), "a weekend in between");
    let paused = timeline("2026-03-02T10:00", "30min", &[pause("2026-03-02T10:30", "2026-03-02T11:00")]);
    assert_eq!(paused.at_percent(100), Some(at("2026-03-02T10:30")));
    assert_eq!(paused.at_percent(150), Some(at("2026-03-02T11:15")));
    let noon = timeline("2026-03-04T09:00", "2wd", &[pause("2026-03-05T11:00", "2026-03-05T14:00")]);
    assert_eq!(noon.at_percent(25), Some(at("2026-03-05T14:00")), "never inside a pause");
}

#[test]
fn intervals_explain_the_course_without_gaps() {
    let rest = |name: &str| IntervalKind::Rest { name: name.into() };
    let clock = timeline("2026-02-13T10:00", "3wd", &[pause("2026-02-24T10:00", "2026-02-25T09:00")]);
    let paused = IntervalKind::Paused { reason: "parts".into() };
    let expected = [
        ("2026-02-13T10:00", "2026-02-13T24:00", IntervalKind::StartDay),
        ("2026-02-14T00:00", "2026-02-14T24:00", IntervalKind::Counted),
        ("2026-02-15T00:00", "2026-02-23T24:00", rest("春节")),
        ("2026-02-24T00:00", "2026-02-24T24:00", paused),
        ("2026-02-25T00:00", "2026-02-26T24:00", IntervalKind::Counted),
    ]
    .map(|(from, to, kind)| Interval { from: at(from), to: Some(at(to)), kind });
    assert_eq!(clock.intervals(), expected);
    let office = timeline("2026-03-06T17:00", "2h@business", &[]);
    let expected = [
        ("2026-03-06T17:00", "2026-03-06T18:00", IntervalKind::Counted),
        ("2026-03-06T18:00", "2026-03-06T24:00", IntervalKind::OutsideHours),
        ("2026-03-07T00:00", "2026-03-08T24:00", rest("周末")),
        ("2026-03-09T00:00", "2026-03-09T09:00", IntervalKind::OutsideHours),
        ("2026-03-09T09:00", "2026-03-09T10:00", IntervalKind::Counted),
    ]
    .map(|(from, to, kind)| Interval { from: at(from), to: Some(at(to)), kind });
    assert_eq!(office.intervals(), expected);
}

#[test]
fn counted_time_can_be_asked_at_any_instant() {
    let clock = timeline("2026-03-02T10:00", "4h", &[pause("2026-03-02T11:00", "2026-03-02T12:00")]);
    assert_eq!(clock.counted_until(at("2026-03-02T09:00")), hours(0));
    assert_eq!(clock.counted_until(at("2026-03-02T13:00")), hours(2));
    assert_eq!(clock.percent_at(at("2026-03-02T13:00")), 50);
    assert_eq!(clock.percent_at(at("2026-03-02T19:00")), 200);
    let days = timeline("2026-03-04T09:00", "2wd", &[]);
    assert_eq!(days.counted_until(at("2026-03-06T23:00")), Amount::Days(1));
    assert_eq!(days.counted_until(at("2026-03-08T23:00")), Amount::Days(2));
    assert_eq!(days.percent_at(at("2026-03-06T12:00")), 75);
}

/// WO-73: L2 to L1 after 20 minutes, counted from the receipt
#[test]
fn a_shorter_limit_from_the_receipt_may_be_over_already() {
    assert!(due_at("2026-03-02T10:00", "15min", &[]) < at("2026-03-02T10:20"));
}

#[test]
fn pauses_are_checked_and_put_in_order() {
    let backwards = [Pause::new(at("2026-03-02T12:00"), Some(at("2026-03-02T11:00")), "x")];
    let refused = Timeline::compute(&office(), at("2026-03-02T10:00"), &span("1h"), &shanghai(), &backwards);
    assert_eq!(refused.unwrap_err(), CalendarError::PauseBackwards { index: 0 });
    let pauses = [
        pause("2026-03-02T12:00", "2026-03-02T14:00"),
        pause("2026-03-02T08:00", "2026-03-02T10:30"),
        pause("2026-03-02T13:00", "2026-03-02T15:00"),
    ];
    assert_eq!(due_at("2026-03-02T10:00", "2h", &pauses), at("2026-03-02T15:30"));
}

#[test]
fn the_roll_of_a_legal_limit_applies_after_pauses() {
    let legal = DueRules { roll_past_rest_day: true };
    let parts = [pause("2026-03-03T10:00", "2026-03-04T09:00")];
    let clock = Timeline::compute_with(&office(), at("2026-03-02T09:00"), &span("4d"), &shanghai(), &parts, legal).unwrap();
    assert_eq!(clock.due_time().at(), Some(at("2026-03-09T24:00")), "Friday + 1 is a Saturday");
    assert_eq!(clock.at_percent(100), clock.due_time().at());
}
