//! Daily windows.

use super::*;

fn window(text: &str) -> DailyWindow {
    text.parse().unwrap()
}

/// NT-28: marketing at 22:00 is queued to 09:00
#[test]
fn quiet_hours_end_in_the_morning() {
    let quiet = window("21:00-09:00");
    let next = |start: &str| quiet.next_open(at(start), &shanghai()).unwrap().unwrap();
    assert_eq!(next("2026-03-02T22:00"), at("2026-03-03T09:00"));
    assert_eq!(next("2026-03-02T21:00"), at("2026-03-03T09:00"));
    assert_eq!(next("2026-03-03T08:59:59"), at("2026-03-03T09:00"));
    assert_eq!(next("2026-03-03T09:00"), at("2026-03-03T09:00"));
    assert_eq!(next("2026-03-03T20:59:59"), at("2026-03-03T20:59:59"));
    assert!(quiet.contains_instant(at("2026-03-03T00:00"), &shanghai()));
    assert_eq!(window("21:00-24:00").next_open(at("2026-03-02T22:00"), &shanghai()).unwrap(), Some(at("2026-03-03T00:00")));
    assert_eq!(window("00:00-24:00").next_open(at("2026-03-02T22:00"), &shanghai()).unwrap(), None);
}

/// WO-69: drilling at 13:00 is a violation
#[test]
fn the_noon_ban_holds_its_first_minute_and_not_its_last() {
    let noon = window("12:00-14:00");
    let inside = |time: &str| noon.contains(time.parse().unwrap());
    assert!(inside("13:00:00") && inside("12:00:00") && inside("13:59:59"));
    assert!(!inside("11:59:59") && !inside("14:00:00"));
}

#[test]
fn a_window_over_a_repeated_hour_still_ends_after_the_question() {
    // 02:30 happens twice in Berlin on 25 October 2026; 01:15Z is 02:15 in the second pass.
    let asked = "2026-10-25T01:15:00Z".parse().unwrap();
    let open = window("22:00-02:30").next_open(asked, &berlin()).unwrap().unwrap();
    assert_eq!(open, "2026-10-25T01:30:00Z".parse().unwrap());
}

#[test]
fn windows_read_back_and_faulty_ones_are_refused() {
    assert_eq!(window("21:00-09:00").to_string(), "21:00-09:00");
    for bad in ["", "21:00", "25:00-09:00", "24:00-09:00", "09:00-09:00", "9:00-10:00", "09:60-10:00", "24:01-10:00"] {
        assert!(bad.parse::<DailyWindow>().is_err(), "{bad}");
    }
}
