//! Occurrences: which day, and which comes after it.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, Festival};

use super::next;
use crate::domain::codes::Layer;
use crate::domain::programme::{Action, Anchor, Definition, ProofRule, Recurrence};
use crate::domain::terms::{Rules, Terms};

fn rules() -> Rules {
    let zone = TimeZone::get("Asia/Shanghai").expect("is known");
    Rules { terms: Terms::default(), zone, calendars: Calendars::shipped() }
}

fn definition(anchor: Anchor, offset: Option<(bool, &str)>) -> Definition {
    Definition {
        code: "x".to_owned(),
        layer: Layer::Basic,
        node: None,
        drive_tags: Vec::new(),
        anchor,
        offset: offset.map(|(before, span)| (before, span.parse().expect("a span"))),
        local_time: None,
        audience: None,
        exclusions: Vec::new(),
        action: Action::Task { role: "steward".to_owned(), instructions: String::new() },
        proof: ProofRule::default(),
        act_within: None,
        confirm_within: None,
        share_percent: 0,
        cost_cents: 0,
    }
}

fn due(anchor: Anchor, offset: Option<(bool, &str)>, fact: Option<Date>, from: Date) -> Option<(Date, Date)> {
    let found = next(&definition(anchor, offset), fact, from, None, &rules()).expect("computes")?;
    Some((found.anchor_date, found.due_date))
}

/// CA-32, CA-33: three months and a year after delivery.
#[test]
fn a_fact_with_an_offset_is_due_once() {
    let delivered = || Anchor::Fact("household.delivered_date".to_owned());
    let (day, from) = (date(2026, 3, 1), date(2026, 3, 5));
    assert_eq!(due(delivered(), Some((false, "3mo")), Some(day), from), Some((day, date(2026, 6, 1))));
    assert_eq!(due(delivered(), Some((false, "1y")), Some(date(2025, 3, 1)), date(2026, 1, 1)), Some((date(2025, 3, 1), date(2026, 3, 1))));
    assert_eq!(due(delivered(), Some((false, "3mo")), Some(day), date(2026, 6, 2)), None, "what lies behind is not made up for");
    assert_eq!(due(delivered(), Some((false, "3mo")), None, from), None);
}

/// CA-66: the Mid-Autumn Festival is lunar 15/8.
#[test]
fn festivals_and_lunar_days_move_with_the_year() {
    let autumn = date(2026, 9, 25);
    assert_eq!(due(Anchor::Festival(Festival::MidAutumn), None, None, date(2026, 3, 1)), Some((autumn, autumn)));
    assert_eq!(due(Anchor::Lunar(8, 15), None, None, date(2026, 3, 1)), Some((autumn, autumn)));
    assert_eq!(due(Anchor::Festival(Festival::MidAutumn), None, None, date(2026, 9, 26)), Some((date(2027, 9, 15), date(2027, 9, 15))));
    assert_eq!(
        due(Anchor::Festival(Festival::MidAutumn), Some((true, "3d")), None, date(2026, 9, 23)).map(|found| found.1),
        Some(date(2027, 9, 12))
    );
}

/// Months, half years, quarters, each from its first day.
#[test]
fn periods_recur_from_their_first_day() {
    let every = |every, from| due(Anchor::Recurrence(every), None, None, from).map(|found| found.1);
    assert_eq!(every(Recurrence::Month, date(2026, 3, 1)), Some(date(2026, 3, 1)));
    assert_eq!(every(Recurrence::Month, date(2026, 3, 2)), Some(date(2026, 4, 1)));
    assert_eq!(every(Recurrence::Quarter, date(2026, 3, 2)), Some(date(2026, 4, 1)));
    assert_eq!(every(Recurrence::HalfYear, date(2026, 3, 2)), Some(date(2026, 7, 1)));
    assert_eq!(every(Recurrence::Year, date(2026, 3, 2)), Some(date(2027, 1, 1)));
    assert_eq!(every(Recurrence::Week, date(2026, 3, 3)), Some(date(2026, 3, 9)));
    let with_offset = due(Anchor::Recurrence(Recurrence::Month), Some((false, "4d")), None, date(2026, 3, 3));
    assert_eq!(with_offset, Some((date(2026, 3, 1), date(2026, 3, 5))), "the anchor may lie behind what is due");
}

#[test]
fn a_day_of_the_year_is_kept_on_the_last_of_a_short_month() {
    assert_eq!(due(Anchor::Solar(2, 29), None, None, date(2026, 1, 1)).map(|found| found.1), Some(date(2026, 2, 28)));
    assert_eq!(due(Anchor::Solar(2, 29), None, None, date(2028, 1, 1)).map(|found| found.1), Some(date(2028, 2, 29)));
}
