//! How often, how much, at what price.

use jiff::civil::date;

use super::*;

fn item(every: Option<PackagePeriod>, times: u32) -> Item {
    Item {
        code: "check".to_owned(),
        name_zh: "检查".to_owned(),
        name_en: String::new(),
        every,
        times,
        role: "technician".to_owned(),
        booking_lead: None,
        unit_code: "minute".to_owned(),
        free_quantity: 120,
        overage_price_cents: 5000,
        overage_block: 60,
        month_price_cents: 1000,
        keep_within: None,
    }
}

/// CA-61: enrolled on the 1st of January, a quarterly check comes four times in the year, each with its quarter to be done in.
#[test]
fn a_quarterly_check_comes_four_times_in_the_year() {
    let (from, to) = (date(2026, 1, 1), date(2026, 12, 31));
    let turns = item(Some(PackagePeriod::Quarter), 0).turns(from, from, to).expect("are dates");
    let expected = [((1, 1), (3, 31)), ((4, 1), (6, 30)), ((7, 1), (9, 30)), ((10, 1), (12, 31))]
        .map(|((m, d), (n, e))| Turn { from: date(2026, m, d), to: date(2026, n, e) });
    assert_eq!(turns, expected);
}

#[test]
fn periods_are_counted_from_the_first_day_and_shared_evenly() {
    let start = date(2026, 1, 31);
    let months = item(Some(PackagePeriod::Month), 1).turns(start, start, date(2026, 4, 30)).expect("are dates");
    let firsts: Vec<Date> = months.iter().map(|turn| turn.from).collect();
    assert_eq!(firsts, [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]);
    let start = date(2026, 3, 2);
    let weekly = item(Some(PackagePeriod::Week), 2).turns(start, date(2026, 3, 9), date(2026, 3, 15)).expect("are dates");
    assert_eq!(weekly.iter().map(|turn| turn.from).collect::<Vec<_>>(), [date(2026, 3, 9), date(2026, 3, 12)]);
    assert!(item(None, 3).turns(start, start, date(2027, 1, 1)).expect("none").is_empty());
}

/// CA-63: what is above the free quantity costs a price for each started block.
#[test]
fn each_started_block_is_charged() {
    let room = item(None, 0);
    for (units, cents) in [(0, 0), (1, 5000), (60, 5000), (61, 10_000)] {
        assert_eq!(room.charge(units), cents, "{units}");
    }
    assert_eq!(Item { overage_block: 0, overage_price_cents: 20, ..room }.charge(7), 140, "by the unit");
}

/// CA-64: of a menu a household has what it chose, at the sum of the prices; a package it has whole.
#[test]
fn a_menu_is_chosen_from_and_a_package_is_had_whole() {
    let other = Item { code: "wash".to_owned(), month_price_cents: 250, ..item(None, 0) };
    let package = Package {
        code: "menu".to_owned(),
        name_zh: String::new(),
        name_en: String::new(),
        items: vec![item(None, 0), other],
        month_price_cents: 0,
        term_months: 12,
        is_a_la_carte: true,
        offer_time: Timestamp::UNIX_EPOCH,
    };
    let codes = |all: &[&str]| all.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    let (chosen, price) = package.chosen(&codes(&["wash", "check"])).expect("are on the menu");
    assert_eq!((chosen.len(), price), (2, 1250));
    for bad in [&["tea"][..], &["wash", "wash"], &[]] {
        assert!(package.chosen(&codes(bad)).is_err(), "{bad:?}");
    }
    let whole = Package { is_a_la_carte: false, month_price_cents: 900, ..package };
    assert_eq!(whole.chosen(&[]).expect("is whole").1, 900);
    assert!(whole.chosen(&codes(&["wash"])).is_err());
}
