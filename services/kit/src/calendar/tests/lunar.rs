//! Lunar dates (XC-24).

use jiff::civil::date;

use super::*;

/// XC-24, CA-66
#[test]
fn festivals_fall_on_their_published_days() {
    let on = |festival: Festival, year| festival.in_lunar_year(year).unwrap();
    assert_eq!(on(Festival::MidAutumn, 2026), date(2026, 9, 25));
    assert_eq!(on(Festival::MidAutumn, 2025), date(2025, 10, 6));
    assert_eq!(on(Festival::MidAutumn, 2000), date(2000, 9, 12));
    assert_eq!(on(Festival::Spring, 2026), date(2026, 2, 17));
    assert_eq!(on(Festival::Spring, 2000), date(2000, 2, 5));
    assert_eq!(on(Festival::Spring, 2033), date(2033, 1, 31));
    assert_eq!(on(Festival::DragonBoat, 2026), date(2026, 6, 19));
    assert_eq!(on(Festival::NewYearsEve, 2025), date(2026, 2, 16));
    assert_eq!(on(Festival::Laba, 2025), date(2026, 1, 26));
    assert_eq!(on(Festival::DoubleNinth, 2026), date(2026, 10, 18));
    assert_eq!(Festival::MidAutumn.next_on_or_after(date(2026, 9, 25)).unwrap(), date(2026, 9, 25));
    assert_eq!(Festival::MidAutumn.next_on_or_after(date(2026, 9, 26)).unwrap(), date(2027, 9, 15));
    assert_eq!(Festival::Laba.next_on_or_after(date(2026, 1, 1)).unwrap(), date(2026, 1, 26));
}

#[test]
fn every_day_of_two_centuries_converts_back() {
    let mut day = date(1901, 2, 19);
    while day < date(2101, 1, 29) {
        let lunar = LunarDate::from_civil(day).unwrap();
        assert_eq!(lunar.to_civil(), day);
        day = day.tomorrow().unwrap();
    }
    assert!(LunarDate::from_civil(date(1901, 2, 18)).is_err());
    assert!(LunarDate::from_civil(date(2101, 1, 29)).is_err());
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    assert!(LunarDate::new(2025, 6, true, 1).is_ok(), "2025 has a leap sixth month");
    let refused = LunarDate::new(2026, 6, true, 1).unwrap_err();
    assert_eq!(refused.to_string(), "lunar year 2026 has no month 6 (leap) day 1");
    for (month, day) in [(0, 1), (13, 1), (1, 0), (1, 31)] {
        assert!(LunarDate::new(2026, month, false, day).is_err());
    }
    assert!(LunarBirthday::new(13, false, 1).is_err());
    assert!(LunarBirthday::new(1, false, 31).is_err());
}

/// CP-31: when the year rolls, the next solar date is recomputed
#[test]
fn a_birthday_comes_each_lunar_year() {
    let birthday = LunarBirthday::new(8, false, 15).unwrap();
    assert_eq!(birthday.next_on_or_after(date(2026, 9, 25)).unwrap(), date(2026, 9, 25));
    assert_eq!(birthday.next_on_or_after(date(2026, 9, 26)).unwrap(), date(2027, 9, 15));
    assert_eq!(LunarBirthday::of_birth(date(2026, 9, 25)).unwrap(), birthday);
    let late = LunarBirthday::new(12, false, 20).unwrap();
    assert_eq!(late.next_on_or_after(date(2026, 1, 1)).unwrap(), date(2026, 2, 7));
}

#[test]
fn a_leap_month_birthday_is_kept_in_the_ordinary_month_of_other_years() {
    let born = LunarBirthday::of_birth(date(2025, 7, 25)).unwrap();
    assert_eq!(born, LunarBirthday::new(6, true, 1).unwrap());
    assert_eq!(born.in_lunar_year(2025).unwrap(), date(2025, 7, 25));
    assert_eq!(born.in_lunar_year(2026).unwrap(), LunarDate::new(2026, 6, false, 1).unwrap().to_civil());
}

#[test]
fn day_thirty_is_kept_on_the_29th_of_a_short_month() {
    let birthday = LunarBirthday::new(12, false, 30).unwrap();
    for year in 1950..2060 {
        let kept = LunarDate::from_civil(birthday.in_lunar_year(year).unwrap()).unwrap();
        let last = Festival::NewYearsEve.in_lunar_year(year).unwrap();
        assert_eq!((kept.month(), kept.is_leap_month()), (12, false));
        assert_eq!(kept.to_civil(), last, "day 30, or 29 of a short month, is the eve");
    }
    let leap = LunarBirthday::new(6, true, 30).unwrap();
    let kept = LunarDate::from_civil(leap.in_lunar_year(2025).unwrap()).unwrap();
    assert_eq!((kept.month(), kept.is_leap_month(), kept.day()), (6, true, 29));
}
