//! Which meetings a year owes, and which it had (CA-55, CA-60).

use jiff::civil::Date;
use steward_kit::Result;

use super::occurrence::{period_end, period_start};
use super::programme::Recurrence;

/// A kind of meeting in one of its periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Kind, as the care policy names it.
    pub kind: String,
    /// First day.
    pub from_date: Date,
    /// Last day.
    pub to_date: Date,
    /// Meetings held.
    pub held: i64,
    /// Meetings planned and not held yet.
    pub planned: i64,
}

impl Period {
    /// One is enough; without one a period is missed when it is over.
    pub fn standing(&self, today: Date) -> &'static str {
        match (self.held > 0, today > self.to_date) {
            (true, _) => "met",
            (false, true) => "missed",
            (false, false) => "open",
        }
    }
}

/// A meeting: its kind, its local day, and whether it was held.
pub type Meeting = (String, Date, bool);

/// The periods of a year that begin in it, each with its meetings.
pub fn periods(kind: &str, every: Recurrence, year: i16, meetings: &[Meeting]) -> Result<Vec<Period>> {
    let mut from_date = period_start(every, Date::new(year, 1, 1).map_err(steward_kit::Error::internal)?)?;
    let mut all = Vec::new();
    while from_date.year() == year {
        let to_date = period_end(every, from_date)?;
        let count = |held: bool| {
            let of_period = meetings.iter().filter(|(of, day, was)| of == kind && *was == held && (from_date..=to_date).contains(day));
            i64::try_from(of_period.count()).unwrap_or(i64::MAX)
        };
        all.push(Period { kind: kind.to_owned(), from_date, to_date, held: count(true), planned: count(false) });
        from_date = to_date.tomorrow().map_err(steward_kit::Error::internal)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_year_has_its_periods_and_each_its_meetings() {
        let meetings = [
            ("talk".to_owned(), date(2026, 6, 30), true),
            ("talk".to_owned(), date(2026, 7, 1), false),
            ("tea".to_owned(), date(2026, 8, 1), true),
        ];
        let halves = periods("talk", Recurrence::HalfYear, 2026, &meetings).expect("computes");
        let shown: Vec<_> = halves.iter().map(|half| (half.to_date, half.held, half.planned, half.standing(date(2027, 1, 1)))).collect();
        assert_eq!(shown, [(date(2026, 6, 30), 1, 0, "met"), (date(2026, 12, 31), 0, 1, "missed")]);
        assert_eq!(halves[1].standing(date(2026, 12, 31)), "open", "its last day is not over");
        assert_eq!(periods("talk", Recurrence::Quarter, 2026, &meetings).expect("computes").len(), 4);
        assert_eq!(periods("talk", Recurrence::Year, 2026, &meetings).expect("computes").len(), 1);
    }
}
