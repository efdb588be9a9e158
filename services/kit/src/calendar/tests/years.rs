//! Holiday years as data.

use jiff::civil::{Date, date};

use super::*;

fn shipped(year: i16) -> String {
    let years = Calendars::shipped();
    let YearState::Announced(file) = years.years().state(year) else { panic!("{year} is shipped") };
    file.to_json().to_string()
}

fn refusal(json: &str) -> String {
    HolidayYear::parse(json).unwrap_err().to_string()
}

/// XC-20: 2026 has 248 working days
#[test]
fn the_shipped_years_have_their_working_days() {
    let calendars = Calendars::shipped();
    let count = |year| calendars.working_days(date(year, 1, 1), date(year, 12, 31));
    assert_eq!(count(2025), (248, vec![]));
    assert_eq!(count(2026), (248, vec![]));
    assert_eq!(count(2027).1, [2027]);
    assert_eq!(calendars.working_days(date(2026, 2, 1), date(2026, 1, 1)), (0, vec![]));
    assert_eq!(calendars.not_announced(date(2024, 6, 1), date(2027, 6, 1)), [2024, 2027]);
}

/// §9.2
#[test]
fn every_day_named_by_the_2026_notice_is_known() {
    let calendars = Calendars::shipped();
    let off = [(1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5), (6, 19, 21), (9, 25, 27), (10, 1, 7)];
    for (month, first, last) in off {
        for day in first..=last {
            assert!(matches!(calendars.day(date(2026, month, day)).kind, DayKind::Holiday { .. }), "{month}-{day}");
        }
    }
    for (month, day) in [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)] {
        assert!(matches!(calendars.day(date(2026, month, day)).kind, DayKind::MakeUp { .. }), "{month}-{day}");
    }
    assert_eq!(calendars.day(date(2026, 3, 7)).rest_name(), Some("周末"));
    assert_eq!(calendars.day(date(2026, 2, 17)).rest_name(), Some("春节"));
    assert_eq!(calendars.day(date(2026, 3, 6)).kind, DayKind::Working);
}

#[test]
fn a_year_survives_its_own_json() {
    for year in [2025, 2026] {
        let read = HolidayYear::parse(&shipped(year)).unwrap();
        assert_eq!(read, HolidayYear::parse(&read.to_json().to_string()).unwrap());
        assert!(read.papers()[0].starts_with("https://www.gov.cn/"));
        assert!(read.notice().is_some());
    }
}

#[test]
fn a_faulty_year_is_refused_with_its_place() {
    let good = shipped(2026);
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        refusal(&good.replacen(from, to, 1))
    };
    assert!(swap("\"2026-01-02\"", "\"2026-01-01\"").starts_with("days[1]: 2026-01-01 is given twice"));
    assert!(swap("\"2026-01-02\"", "\"2027-01-02\"").contains("days[1]: 2027-01-02 is neither in 2026"));
    assert!(swap("\"2026-01-04\"", "\"2026-01-05\"").contains("2026-01-05 is a Monday and cannot be a make-up"));
    assert!(swap("\"2026-09-25\"", "\"2026-09-24\"").contains("2026-09-25 (中秋节) is a holiday by law"));
    assert!(swap("\"name\":\"元旦\"", "\"name\":\" \"").contains("days[0]: 2026-01-01 has no name"));
    assert!(swap("https://", "").contains("papers[0]"));
    assert!(swap("\"year\":2026", "\"year\":26").contains("not between 1949 and 2200"));
    assert!(swap("isOffDay", "isOff").contains("unknown field `isOff`"));
    assert!(swap("\"2026-01-02\"", "\"2026-02-30\"").contains("not a holiday year"));
    assert!(refusal(r#"{"year": 2027, "papers": ["https://www.gov.cn/x"], "days": []}"#).contains("not announced yet"));
    assert!(refusal(r#"{"year": 2027, "papers": [], "days": []}"#).contains("at least one official notice"));
    assert!(refusal("{").contains("not a holiday year"));
}

/// XC-20: recomputed when loaded
#[test]
fn loading_a_year_makes_its_deadlines_firm_and_can_change_december() {
    let json = r#"{"$schema": "x", "$id": "y", "year": 2027, "papers": ["https://www.gov.cn/x"], "days": [
        {"name": "元旦", "date": "2026-12-27", "isOffDay": false}, {"name": "元旦", "date": "2026-12-31", "isOffDay": true},
        {"name": "元旦", "date": "2027-01-01", "isOffDay": true},
        {"name": "春节", "date": "2027-02-06", "isOffDay": true}, {"name": "春节", "date": "2027-02-07", "isOffDay": true},
        {"name": "劳动节", "date": "2027-05-01", "isOffDay": true}, {"name": "端午节", "date": "2027-06-09", "isOffDay": true},
        {"name": "中秋节", "date": "2027-09-15", "isOffDay": true}, {"name": "国庆节", "date": "2027-10-01", "isOffDay": true},
        {"name": "国庆节", "date": "2027-10-02", "isOffDay": true}, {"name": "国庆节", "date": "2027-10-03", "isOffDay": true}]}"#;
    let before = office();
    let loaded = before.with_year(HolidayYear::parse(json).unwrap());
    let over = |calendars: &Calendars| calendars.due(at("2026-12-30T10:00"), &span("2wd"), &shanghai()).unwrap();
    assert_eq!(over(&before), Due { time: at("2027-01-01T24:00"), provisional_years: vec![2027] });
    assert_eq!(over(&loaded), Due { time: at("2027-01-05T24:00"), provisional_years: vec![] });
    assert!(loaded.day(date(2026, 12, 27)).is_working());
    assert!(!before.day(date(2026, 12, 27)).is_working());
    assert_eq!(loaded.years().announced().collect::<Vec<_>>(), [2025, 2026, 2027]);
}

#[test]
fn a_region_adds_days_and_its_latest_file_wins() {
    let file = |day: &str| {
        HolidayYear::parse(&format!(
            r#"{{"year": 2026, "region": "guangxi", "papers": ["https://www.gxzf.gov.cn/x"], "days": [
                {{"name": "三月三", "date": "{day}", "isOffDay": true}},
                {{"name": "三月三", "date": "2026-10-07", "isOffDay": false}}]}}"#
        ))
        .unwrap()
    };
    let calendars = office().with_year(file("2026-04-17")).with_year(file("2026-04-20"));
    let guangxi = calendars.for_region(Some("guangxi".parse().unwrap()));
    let off = |calendars: &Calendars, day: Date| !calendars.day(day).is_working();
    assert!(off(&guangxi, date(2026, 4, 20)));
    assert!(!off(&guangxi, date(2026, 4, 17)), "replaced");
    assert!(!off(&guangxi, date(2026, 10, 7)), "put back to work");
    assert!(off(&guangxi, date(2026, 10, 1)), "national days stay");
    assert!(!off(&calendars, date(2026, 4, 20)));
    assert!(!off(&guangxi.for_region(Some("tibet".parse().unwrap())), date(2026, 4, 20)));
    assert!("Guang Xi".parse::<RegionKey>().is_err());
    let only_regional = Calendars::default().with_year(file("2026-04-17"));
    assert_eq!(only_regional.years().state(2026), YearState::NotAnnounced);
}
