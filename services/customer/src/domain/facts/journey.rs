//! Where a customer stands on the way from before the sale to year four, from dates alone.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::super::tenure::TenureRole;

/// Days on which a contract counts as new (喜结连理) before the time of waiting begins (亲密接触).
const SIGNING_DAYS: i64 = 30;
/// Years after which an owner is long-standing (四年之约).
const LONG_STANDING_YEARS: i64 = 4;

/// The dates of a customer and a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dates {
    /// Subscription.
    pub subscription: Option<Date>,
    /// Contract.
    pub signing: Option<Date>,
    /// Handover; of a tenant the first day of the lease.
    pub delivery: Option<Date>,
    /// Moving in; of a tenant the first day of the lease.
    pub move_in: Option<Date>,
}

impl Dates {
    fn delivered(&self, today: Date) -> Option<Date> {
        self.delivery.filter(|date| *date <= today)
    }
}

/// Kind of the customer (CP-08); `None` for people who only act for others.
pub fn customer_kind(role: TenureRole, dates: &Dates, today: Date) -> Option<&'static str> {
    let has_signed = dates.signing.is_some_and(|date| date <= today);
    match role {
        TenureRole::Owner | TenureRole::CoOwner => Some(match dates.delivered(today) {
            Some(date) if date <= today.saturating_sub(LONG_STANDING_YEARS.years()) => "long_standing_owner",
            Some(_) => "owner",
            None if !has_signed && dates.subscription.is_some() => "prospect",
            None => "quasi_owner",
        }),
        TenureRole::Tenant | TenureRole::Occupant | TenureRole::FamilyMember => Some("resident"),
        TenureRole::Agent | TenureRole::CompanyContact => None,
    }
}

/// Stage of the life cycle (CP-09); `None` before any date.
pub fn journey_stage(dates: &Dates, today: Date) -> Option<&'static str> {
    if let Some(delivered) = dates.delivered(today) {
        let since = |span: jiff::Span| delivered <= today.saturating_sub(span);
        let moved_in = dates.move_in.is_some_and(|date| date <= today);
        return Some(match () {
            () if since(LONG_STANDING_YEARS.years()) => "fourth_year",
            () if since(1.year()) => "together",
            () if since(3.months()) => "taking_responsibility",
            () if moved_in => "settling_in",
            () => "welcome_home",
        });
    }
    if let Some(signing) = dates.signing.filter(|date| *date <= today) {
        let is_new = signing > today.saturating_sub(SIGNING_DAYS.days());
        return Some(if is_new { "signing" } else { "closer_contact" });
    }
    dates.subscription.filter(|date| *date <= today).map(|_| "first_meeting")
}

/// Node of the journey that a stage belongs to (CP-10). Community, special need, upgrade and exit follow from what happens,
/// not from dates: programmes choose them by their own predicates.
pub fn journey_node(stage: &str) -> Option<&'static str> {
    Some(match stage {
        "first_meeting" => "inquiry",
        "signing" | "closer_contact" => "signing",
        "welcome_home" | "settling_in" => "early_occupancy",
        "taking_responsibility" | "together" => "mid_occupancy",
        "fourth_year" => "community",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 6, 10);

    /// CP-08
    #[test]
    fn the_kind_follows_from_contract_and_handover() {
        let signed = Dates { signing: Some(date(2025, 1, 1)), delivery: Some(date(2026, 6, 11)), ..Dates::default() };
        assert_eq!(customer_kind(TenureRole::Owner, &signed, TODAY), Some("quasi_owner"));
        assert_eq!(customer_kind(TenureRole::Owner, &signed, date(2026, 6, 11)), Some("owner"));
        assert_eq!(customer_kind(TenureRole::CoOwner, &signed, date(2030, 6, 11)), Some("long_standing_owner"));
        let subscribed = Dates { subscription: Some(date(2026, 6, 1)), ..Dates::default() };
        assert_eq!(customer_kind(TenureRole::Owner, &subscribed, TODAY), Some("prospect"));
        assert_eq!(customer_kind(TenureRole::Tenant, &signed, TODAY), Some("resident"));
        assert_eq!(customer_kind(TenureRole::Agent, &signed, TODAY), None);
    }

    /// CP-09, CP-10
    #[test]
    fn the_stage_follows_from_dates_and_every_stage_has_a_node() {
        let mut dates = Dates::default();
        assert_eq!(journey_stage(&dates, TODAY), None);
        dates.subscription = Some(date(2025, 1, 1));
        dates.signing = Some(date(2025, 2, 1));
        dates.delivery = Some(TODAY);
        let at = |dates: &Dates, day: Date| journey_stage(dates, day).unwrap_or("none");
        assert_eq!(at(&dates, date(2025, 1, 31)), "first_meeting");
        assert_eq!(at(&dates, date(2025, 2, 1)), "signing");
        assert_eq!(at(&dates, date(2025, 3, 3)), "closer_contact");
        assert_eq!(at(&dates, TODAY), "welcome_home");
        dates.move_in = Some(date(2026, 7, 1));
        assert_eq!(at(&dates, date(2026, 6, 30)), "welcome_home");
        assert_eq!(at(&dates, date(2026, 7, 1)), "settling_in");
        assert_eq!(at(&dates, date(2026, 9, 10)), "taking_responsibility");
        assert_eq!(at(&dates, date(2027, 6, 10)), "together");
        assert_eq!(at(&dates, date(2030, 6, 10)), "fourth_year");
        assert!(steward_kit::predicate::JOURNEY_STAGES.iter().all(|stage| journey_node(stage).is_some()));
    }
}
