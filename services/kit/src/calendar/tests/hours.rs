//! Working-hours calendars.

use super::*;

fn check(table: &[(&str, &str, &str)]) {
    for (start, limit, expected) in table {
        let computed = due(start, limit);
        assert_eq!(computed.time, at(expected), "{start} + {limit}: got {}", computed.time);
    }
}

/// XC-22
#[test]
fn hours_count_only_inside_their_windows() {
    check(&[
        ("2026-03-02T10:00", "4h@business", "2026-03-02T14:00"),
        ("2026-03-02T14:00", "4h@business", "2026-03-02T18:00"),
        ("2026-03-02T15:00", "4h@business", "2026-03-03T10:00"),
        ("2026-03-02T03:00", "4h@business", "2026-03-02T13:00"),
        ("2026-03-06T17:00", "2h@business", "2026-03-09T10:00"),
        // Sat 14 Feb works, 15 to 23 Feb rest.
        ("2026-02-13T17:00", "11h@business", "2026-02-24T10:00"),
        ("2026-02-20T12:00", "30min@business", "2026-02-24T09:30"),
        ("2026-03-02T11:00", "2h@split", "2026-03-02T14:30"),
        ("2026-03-06T17:00", "2h@split", "2026-03-07T11:00"),
        ("2026-03-02T10:00", "72h@always", "2026-03-05T10:00"),
    ]);
}

#[test]
fn a_night_shift_belongs_to_the_day_it_opens() {
    check(&[
        ("2026-03-02T22:00", "8h@night", "2026-03-03T06:00"),
        ("2026-03-03T02:00", "5h@night", "2026-03-03T23:00"),
        ("2026-03-02T12:00", "1h@night", "2026-03-02T23:00"),
        // Friday's shift ends on Saturday morning; the next is Monday's.
        ("2026-03-07T05:00", "2h@night", "2026-03-09T23:00"),
        ("2026-03-08T05:00", "30min@night", "2026-03-09T22:30"),
    ]);
}

#[test]
fn a_clock_change_makes_a_shift_shorter_or_longer() {
    let calendars = office();
    let in_berlin = |start: &str, limit: &str| calendars.due(instant(start, &berlin()), &span(limit), &berlin()).unwrap().time;
    // Every-day windows over 29 March 2026 (02:00 becomes 03:00) and 25 October (03:00 becomes 02:00).
    assert_eq!(in_berlin("2026-03-28T12:00", "24h@always"), instant("2026-03-29T13:00", &berlin()));
    assert_eq!(in_berlin("2026-10-24T12:00", "24h@always"), instant("2026-10-25T11:00", &berlin()));
    let sunday = serde_json::from_str::<WorkingHours>(
        r#"{"name": "saturday_night", "windows": [{"days": {"weekdays": [6]}, "hours": "22:00-06:00"}]}"#,
    );
    let nights = calendars.with_hours(sunday.unwrap());
    let due = |start: &str| nights.due(instant(start, &berlin()), &span("8h@saturday_night"), &berlin()).unwrap().time;
    assert_eq!(due("2026-03-28T20:00"), instant("2026-04-04T23:00", &berlin()), "seven hours that night");
    assert_eq!(due("2026-10-24T20:00"), instant("2026-10-25T05:00", &berlin()), "nine hours that night");
}

#[test]
fn years_are_provisional_only_if_the_windows_ask_for_them() {
    assert_eq!(due("2026-12-31T17:00", "2h@business").provisional_years, [2027]);
    assert!(due("2026-12-31T23:00", "2h@night").provisional_years.is_empty());
    assert!(due("2026-12-31T16:00", "2h@business").provisional_years.is_empty());
    assert!(due("2025-01-02T10:00", "1h@business").provisional_years.is_empty());
}

#[test]
fn faulty_hours_are_refused() {
    let refusal = |json: &str| serde_json::from_str::<WorkingHours>(json).unwrap_err().to_string();
    let window = r#"{"days": "working", "hours": "09:00-18:00"}"#;
    assert!(refusal(&format!(r#"{{"name": "civil", "windows": [{window}]}}"#)).contains("cannot name"));
    assert!(refusal(&format!(r#"{{"name": "24x7", "windows": [{window}]}}"#)).contains("cannot name"));
    assert!(refusal(r#"{"name": "a", "windows": []}"#).contains("no windows"));
    assert!(refusal(r#"{"name": "a", "windows": [{"days": {"weekdays": [0]}, "hours": "09:00-18:00"}]}"#).contains("windows[0]: weekdays"));
    assert!(refusal(r#"{"name": "a", "windows": [{"days": "every", "hours": "09:00-09:00"}]}"#).contains("either empty or the whole day"));
    assert!(refusal(r#"{"name": "a", "windows": [{"days": "every", "hours": "9-18"}]}"#).contains("time of day"));
}
