//! Periods: whole local days, from 00:00 of the first to 24:00 of the last, in the estate's zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// What one period of a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeriodKind {
    /// The days asked for.
    Days,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// Half a calendar year.
    HalfYear,
    /// A calendar year.
    Year,
    /// Survey waves that closed in the days asked for.
    Wave,
    /// What campaigns delivered in the days asked for.
    Campaign,
    /// Handover batches whose window ended in the days asked for.
    Batch,
    /// Visit rounds that ended in the days asked for.
    Round,
}

/// A period in local days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// First local day.
    pub from: Date,
    /// Last local day.
    pub to: Date,
}

impl Period {
    /// The days from one to another; `None` when they are the wrong way round.
    pub fn new(from: Date, to: Date) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// The period of a kind that a day lies in; `None` for kinds that no calendar cuts.
    pub fn around(kind: PeriodKind, day: Date) -> Option<Self> {
        let months = |length: i8| {
            let first = (day.month() - 1) / length * length + 1;
            let from = Date::new(day.year(), first, 1).ok()?;
            let to = from.checked_add(Span::new().months(length)).ok()?.yesterday().ok()?;
            Some(Self { from, to })
        };
        match kind {
            PeriodKind::Week => {
                let from = day.checked_sub(Span::new().days(day.weekday().since(Weekday::Monday))).ok()?;
                Some(Self { from, to: from.checked_add(Span::new().days(6)).ok()? })
            }
            PeriodKind::Month => months(1),
            PeriodKind::Quarter => months(3),
            PeriodKind::HalfYear => months(6),
            PeriodKind::Year => months(12),
            PeriodKind::Days | PeriodKind::Wave | PeriodKind::Campaign | PeriodKind::Batch | PeriodKind::Round => None,
        }
    }

    /// The period that a figure of a kind counts when this one is asked for: its own if that is longer, else what was asked.
    pub fn for_kind(self, kind: PeriodKind) -> Self {
        match Self::around(kind, self.to) {
            Some(own) if own.from <= self.from => own,
            Some(_) | None => self,
        }
    }

    /// Whether this is one period of the kind, neither more nor less.
    pub fn is_one(self, kind: PeriodKind) -> bool {
        Self::around(kind, self.to).is_none_or(|own| own == self)
    }

    /// The period of the same kind of length before: the month before a month, else as many days before.
    pub fn previous(self) -> Option<Self> {
        let to = self.from.yesterday().ok()?;
        for kind in [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::HalfYear, PeriodKind::Year] {
            if self.is_one(kind) {
                return Self::around(kind, to);
            }
        }
        let from = self.from.checked_sub(Span::new().days(self.days())).ok()?;
        Some(Self { from, to })
    }

    /// Number of local days.
    pub fn days(self) -> i64 {
        self.from.until(self.to).map_or(0, |span| i64::from(span.get_days())) + 1
    }

    /// Whether a local day lies in it.
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    /// The instants from 00:00 of the first day to 24:00 of the last, the latter no longer in it; `None` at the end of time.
    pub fn instants(self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let start = self.from.to_zoned(zone.clone()).ok()?.timestamp();
        let end = self.to.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
        Some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(from: (i8, i8), to: (i8, i8)) -> Period {
        Period::new(date(2026, from.0, from.1), date(2026, to.0, to.1)).unwrap()
    }

    #[test]
    fn a_month_asked_for_is_widened_to_the_quarter_that_a_figure_is_of() {
        let march = days((3, 1), (3, 31));
        assert_eq!(march.for_kind(PeriodKind::Quarter), days((1, 1), (3, 31)));
        assert_eq!(march.for_kind(PeriodKind::Month), march);
        assert_eq!(march.for_kind(PeriodKind::Wave), march);
        assert_eq!(days((1, 1), (3, 31)).for_kind(PeriodKind::Month), days((1, 1), (3, 31)));
        assert_eq!(days((3, 30), (4, 2)).for_kind(PeriodKind::Month), days((3, 30), (4, 2)));
        assert!(march.is_one(PeriodKind::Month) && !march.is_one(PeriodKind::Quarter));
    }

    #[test]
    fn periods_are_cut_by_the_calendar() {
        assert_eq!(Period::around(PeriodKind::HalfYear, date(2026, 8, 9)), Some(days((7, 1), (12, 31))));
        assert_eq!(Period::around(PeriodKind::Month, date(2026, 2, 9)), Some(days((2, 1), (2, 28))));
        assert_eq!(Period::around(PeriodKind::Week, date(2026, 3, 1)), Some(days((2, 23), (3, 1))));
        assert_eq!(days((3, 1), (3, 31)).previous(), Some(days((2, 1), (2, 28))));
        assert_eq!(days((3, 10), (3, 12)).previous(), Some(days((3, 7), (3, 9))));
        assert_eq!(days((3, 1), (3, 31)).days(), 31);
    }

    /// XC-25
    #[test]
    fn a_period_begins_at_local_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let (start, end) = days((4, 1), (4, 30)).instants(&zone).unwrap();
        assert_eq!((start.to_string(), end.to_string()), ("2026-03-31T16:00:00Z".into(), "2026-04-30T16:00:00Z".into()));
    }
}
