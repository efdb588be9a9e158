//! Limits without pauses.

use super::*;

fn check(table: &[(&str, &str, &str)]) {
    for (start, limit, expected) in table {
        let computed = due(start, limit);
        assert_eq!(computed.time, at(expected), "{start} + {limit}: got {}", computed.time);
        assert!(!computed.is_provisional(), "{start} + {limit}");
    }
}

/// XC-21, §9.2, WO-24, CA-54
#[test]
fn working_days_follow_the_official_calendar() {
    check(&[
        ("2026-02-13T10:00", "3wd", "2026-02-25T24:00"),
        ("2026-02-14T09:00", "3wd", "2026-02-26T24:00"),
        ("2026-02-16T23:59", "3wd", "2026-02-26T24:00"),
        ("2026-02-24T08:00", "5wd", "2026-03-02T24:00"),
        ("2026-02-13T00:00", "3wd", "2026-02-25T24:00"),
        ("2026-09-18T12:00", "1wd", "2026-09-20T24:00"),
        ("2026-09-30T12:00", "2wd", "2026-10-09T24:00"),
        ("2026-09-30T12:00", "3wd", "2026-10-10T24:00"),
    ]);
}

/// XC-23, §9.2, WO-25
#[test]
fn days_weeks_and_months_end_at_midnight() {
    check(&[
        ("2026-03-01T15:30", "7d", "2026-03-08T24:00"),
        ("2026-02-13T10:00", "7d", "2026-02-20T24:00"),
        ("2026-03-01T15:30", "1w", "2026-03-08T24:00"),
        ("2025-11-30T10:00", "3mo", "2026-02-28T24:00"),
        ("2025-11-30T10:00", "1q", "2026-02-28T24:00"),
        ("2027-11-30T10:00", "3mo", "2028-02-29T24:00"),
        ("2026-02-28T10:00", "1mo", "2026-03-28T24:00"),
        ("2026-08-31T10:00", "1hy", "2027-02-28T24:00"),
        ("2028-02-29T10:00", "1y", "2029-02-28T24:00"),
        ("2025-12-31T23:59", "1d", "2026-01-01T24:00"),
        ("2026-01-31T00:00", "1mo", "2026-02-28T24:00"),
    ]);
}

/// XC-22, WO-12, WO-13, WO-18, WO-26
#[test]
fn minutes_and_hours_run_around_the_clock() {
    check(&[
        ("2026-02-17T02:00", "15min", "2026-02-17T02:15"),
        ("2026-02-17T02:00", "30min", "2026-02-17T02:30"),
        ("2026-02-17T23:00", "24h", "2026-02-18T23:00"),
        ("2026-02-17T23:00", "72h@24x7", "2026-02-20T23:00"),
        ("2026-02-17T23:59:59", "1s", "2026-02-18T00:00"),
    ]);
}

/// XC-21: off for service limits, on for legal ones
#[test]
fn the_last_day_rolls_past_rest_days_only_when_asked() {
    let legal = DueRules { roll_past_rest_day: true };
    let rolled = |start, limit| office().due_with(at(start), &span(limit), &shanghai(), legal).unwrap();
    assert_eq!(rolled("2026-02-13T10:00", "7d").time, at("2026-02-24T24:00"));
    assert_eq!(rolled("2026-02-21T10:00", "7d").time, at("2026-02-28T24:00"), "a make-up Saturday is worked");
    assert_eq!(rolled("2026-03-02T10:00", "3d").time, at("2026-03-05T24:00"));
    assert_eq!(rolled("2026-12-28T10:00", "5d").time, at("2027-01-04T24:00"));
    assert_eq!(rolled("2026-12-28T10:00", "5d").provisional_years, [2027]);
    assert_eq!(rolled("2026-02-13T10:00", "15min").time, at("2026-02-13T10:15"));
}

/// XC-20, README §16.15
#[test]
fn a_deadline_over_a_year_not_announced_is_provisional() {
    let over = due("2026-12-30T10:00", "3wd");
    assert_eq!((over.time, over.provisional_years), (at("2027-01-04T24:00"), vec![2027]));
    assert!(!due("2026-12-30T10:00", "1wd").is_provisional());
    assert!(!due("2026-12-30T10:00", "3mo").is_provisional(), "no working day is asked for");
    assert_eq!(due("2024-12-30T10:00", "3wd").provisional_years, [2024], "2025 is announced");
}

/// XC-25: the start day is the local day of the estate
#[test]
fn days_are_those_of_the_zone() {
    let start = "2026-03-28T23:30:00Z".parse().unwrap();
    let due_in = |zone: &TimeZone| office().due(start, &span("1d"), zone).unwrap().time;
    assert_eq!(due_in(&shanghai()), at("2026-03-30T24:00"));
    assert_eq!(due_in(&berlin()), instant("2026-03-30T24:00", &berlin()));
    let day_of_change = "2026-03-28T12:00:00Z".parse::<Timestamp>().unwrap();
    let due = office().due(day_of_change, &span("1d"), &berlin()).unwrap().time;
    assert_eq!(due, "2026-03-29T22:00:00Z".parse().unwrap(), "a day of 23 hours");
    let hours = office().due(day_of_change, &span("24h"), &berlin()).unwrap().time;
    assert_eq!(hours, "2026-03-29T12:00:00Z".parse().unwrap(), "24 hours stay 24 hours");
}

#[test]
fn unknown_hours_and_far_ends_are_refused() {
    let refused = |start, limit| office().due(start, &span(limit), &shanghai()).unwrap_err();
    assert_eq!(refused(at("2026-01-05T00:00"), "1h@moon"), CalendarError::UnknownHours { name: "moon".into() });
    assert_eq!(refused(at("9990-01-05T00:00"), "100y"), CalendarError::OutOfRange);
    assert_eq!(refused(at("9990-01-05T00:00"), "876600h"), CalendarError::OutOfRange);
    assert_eq!(refused(at("9990-01-05T00:00"), "25000wd"), CalendarError::OutOfRange);
    assert_eq!(refused(at("2026-01-05T00:00"), "876600h@business"), CalendarError::OutOfRange);
}
