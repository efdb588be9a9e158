//! What a customer is to a unit, from a day to a day (CP-14, CP-16).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::Error;
use steward_kit::error::WrongState;
use steward_kit::ids::{CustomerId, EstateId, UnitId};

use super::ids::TenureId;
use steward_kit::codes;

codes! {
    /// What a customer is to a unit. In the order in which members of a household are shown.
    TenureRole {
        /// The only owner.
        Owner = "owner",
        /// One of several owners.
        CoOwner = "co_owner",
        /// Rents by lease.
        Tenant = "tenant",
        /// Lives or works there without owning or renting.
        Occupant = "occupant",
        /// Family of the owner or tenant, living there.
        FamilyMember = "family_member",
        /// Acts for the owner.
        Agent = "agent",
        /// Speaks for the organisation that owns or rents.
        CompanyContact = "company_contact",
    }
}

codes! {
    /// Where a tenure came from.
    TenureSource {
        /// Typed in by staff.
        Staff = "staff",
        /// A file.
        Import = "import",
        /// The customer.
        App = "app",
    }
}

/// A tenure as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure {
    /// Its id.
    pub id: TenureId,
    /// The estate of the unit.
    pub estate_id: EstateId,
    /// The unit.
    pub unit_id: UnitId,
    /// The customer.
    pub customer_id: CustomerId,
    /// What the customer is to the unit.
    pub role: TenureRole,
    /// First local day.
    pub from_date: Date,
    /// Last local day; open while `None`.
    pub to_date: Option<Date>,
    /// Where it came from.
    pub source: TenureSource,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl Tenure {
    /// The tenure with `to_date` as its last day.
    ///
    /// # Errors
    /// `TENURE_DATES_REVERSED` before its first day; `TENURE_ENDED` when its last day has passed on `today`: history
    /// stays as it was.
    pub fn ended(&self, to_date: Date, today: Date, now: Timestamp) -> Result<Self, Error> {
        if let Some(last) = self.to_date
            && last < today
        {
            let subject = format!("tenure {}", self.id);
            return Err(WrongState::new("TENURE_ENDED", subject, "ended", NOTHING, "the tenure's last day has passed").into());
        }
        if to_date < self.from_date {
            return Err(reversed());
        }
        Ok(Self { to_date: Some(to_date), row_version: self.row_version + 1, update_time: now, ..self.clone() })
    }
}

/// Whether two spans of days share one; both ends count.
pub fn overlaps(a: (Date, Option<Date>), b: (Date, Option<Date>)) -> bool {
    a.0 <= b.1.unwrap_or(Date::MAX) && b.0 <= a.1.unwrap_or(Date::MAX)
}

/// The refusal of a last day before the first.
pub fn reversed() -> Error {
    Error::invalid("to_date", "TENURE_DATES_REVERSED", "must not be before from_date")
}

/// No verb is left.
const NOTHING: [&str; 0] = [];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn spans_that_share_their_border_day_overlap() {
        let may = (date(2026, 1, 1), Some(date(2026, 5, 31)));
        assert!(!overlaps(may, (date(2026, 6, 1), None)));
        assert!(overlaps(may, (date(2026, 5, 31), None)));
        assert!(overlaps((date(2020, 1, 1), None), may));
    }
}
