//! Days that matter to a customer (CP-31). Those of the person are sealed; a keyed hash of the day of the year finds who
//! celebrates on a day without opening anything.

use jiff::civil::Date;
use steward_kit::Result;
use steward_kit::calendar::{LunarBirthday, LunarDate};
use steward_kit::ids::CustomerId;
use uuid::Uuid;

use super::vault::Vault;
use steward_kit::codes;

codes! {
    /// Kinds of key dates.
    KeyDateKind {
        /// Birthday of the person.
        Birthday = "birthday",
        /// Wedding day.
        Wedding = "wedding",
        /// Another day that the person celebrates.
        Festive = "festive",
        /// Subscription for the unit.
        Subscription = "subscription",
        /// Contract for the unit.
        Signing = "signing",
        /// Moving into the unit.
        MoveIn = "move_in",
    }
}

impl KeyDateKind {
    /// Whether it is the person's own: sealed, and kept only with consent. The others belong to a unit.
    pub fn is_personal(self) -> bool {
        match self {
            Self::Birthday | Self::Wedding | Self::Festive => true,
            Self::Subscription | Self::Signing | Self::MoveIn => false,
        }
    }
}

/// The day of the year of a date, in the words that the index hashes. `None` for lunar dates outside the calendar.
pub fn day_of(date: Date, is_lunar: bool) -> Option<String> {
    if !is_lunar {
        return Some(solar(date.month(), date.day()));
    }
    let lunar = LunarDate::from_civil(date).ok()?;
    Some(lunar_day(lunar.month(), lunar.is_leap_month(), lunar.day()))
}

/// Every day of the year that is kept on a civil date: its own, 29 February on the 28th of a common year, and what the lunar
/// year lacks.
pub fn days_kept_on(date: Date) -> Vec<String> {
    let mut days = vec![solar(date.month(), date.day())];
    if (date.month(), date.day()) == (2, 28) && !date.in_leap_year() {
        days.push(solar(2, 29));
    }
    let Ok(lunar) = LunarDate::from_civil(date) else { return days };
    for (is_leap_month, day) in [(false, lunar.day()), (true, lunar.day()), (false, 30), (true, 30)] {
        let kept = LunarBirthday::new(lunar.month(), is_leap_month, day).and_then(|birthday| birthday.in_lunar_year(lunar.year()));
        let word = lunar_day(lunar.month(), is_leap_month, day);
        if kept == Ok(date) && !days.contains(&word) {
            days.push(word);
        }
    }
    days
}

fn solar(month: i8, day: i8) -> String {
    format!("solar:{month:02}-{day:02}")
}

fn lunar_day(month: u8, is_leap_month: bool, day: u8) -> String {
    format!("lunar:{}{month:02}-{day:02}", if is_leap_month { "leap-" } else { "" })
}

/// Where a date was sealed for.
fn place(id: Uuid) -> String {
    format!("customer.key_dates/{id}")
}

impl Vault {
    /// Seals a date of a person under the person's key.
    ///
    /// # Errors
    /// The key does not unwrap.
    pub fn seal_date(&self, customer: CustomerId, wrapped: &[u8], id: Uuid, date: Date) -> Result<Vec<u8>> {
        Ok(self.person_key(customer, wrapped)?.seal(place(id), date.to_string()))
    }

    /// Opens it.
    ///
    /// # Errors
    /// It does not open: damaged, moved, or of a lost key.
    pub fn open_date(&self, customer: CustomerId, wrapped: &[u8], id: Uuid, sealed: &[u8]) -> Result<Option<Date>> {
        let plain = self.person_key(customer, wrapped)?.open_text(place(id), sealed)?;
        Ok(steward_kit::proto::date(plain.expose()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// CP-31
    #[test]
    fn a_lunar_birthday_is_found_on_its_civil_date_in_every_year() {
        // Born 2 February 1984, the first day of the lunar year of the rat.
        let day = day_of(date(1984, 2, 2), true).expect("a lunar day");
        assert_eq!(day, "lunar:01-01");
        for new_year in [date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6)] {
            assert!(days_kept_on(new_year).contains(&day), "{new_year}");
            assert!(!days_kept_on(new_year.tomorrow().expect("a day")).contains(&day));
        }
    }

    #[test]
    fn days_that_a_year_lacks_are_kept_all_the_same() {
        assert!(days_kept_on(date(2026, 2, 28)).contains(&"solar:02-29".to_owned()));
        assert!(!days_kept_on(date(2028, 2, 28)).contains(&"solar:02-29".to_owned()));
        // Every lunar birthday is kept exactly once in a lunar year, leap months and 30ths among them.
        for (month, is_leap, day) in [(6_u8, true, 15_u8), (2, false, 30), (12, false, 30), (4, true, 30)] {
            let word = lunar_day(month, is_leap, day);
            let mut date = date(2026, 2, 17);
            let mut found = 0;
            while date < jiff::civil::date(2027, 2, 6) {
                found += usize::from(days_kept_on(date).contains(&word));
                date = date.tomorrow().expect("a day");
            }
            assert_eq!(found, 1, "{word}");
        }
    }
}
