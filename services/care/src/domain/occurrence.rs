//! On which day something is due: the next occurrence of an anchor, and the day that lies before or after it.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use steward_kit::calendar::{Festival, LunarBirthday};
use steward_kit::{Error, Result};

use super::programme::{Anchor, Definition, Recurrence};
use super::terms::Rules;

/// How many occurrences are looked at before it is given up that one falls into the programme's days.
const TRIES: usize = 4;

/// One day that an anchor falls on, and when something is due by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The day counted from.
    pub anchor_date: Date,
    /// The local day on which it is due.
    pub due_date: Date,
    /// The instant.
    pub due_time: Timestamp,
}

/// The next occurrence that is due on or after `from`, within the programme's last day. `fact` is the day among the facts of the
/// household, or of the estate, for the anchors that need one.
pub fn next(definition: &Definition, fact: Option<Date>, from: Date, until: Option<Date>, rules: &Rules) -> Result<Option<Occurrence>> {
    let mut seek = from;
    for _ in 0..TRIES {
        let Some(anchor) = anchor_day(&definition.anchor, fact, seek, definition, rules)? else { return Ok(None) };
        let due_date = shifted(definition, anchor, rules)?;
        if until.is_some_and(|until| due_date > until) {
            return Ok(None);
        }
        if due_date >= from {
            let due_time = rules.begin_of(due_date, definition.local_time.or(rules.terms.times.touchpoint))?;
            return Ok(Some(Occurrence { anchor_date: anchor, due_date, due_time }));
        }
        if is_single(&definition.anchor) {
            return Ok(None);
        }
        // The one found lies too early by its offset: the one after it.
        seek = anchor.max(seek).tomorrow().map_err(Error::internal)?;
    }
    Ok(None)
}

/// The day on which something is due that is counted from `anchor`.
pub fn shifted(definition: &Definition, anchor: Date, rules: &Rules) -> Result<Date> {
    match &definition.offset {
        Some((before, span)) => rules.shift(anchor, *before, span),
        None => Ok(anchor),
    }
}

fn is_single(anchor: &Anchor) -> bool {
    match anchor {
        Anchor::Fact(_) | Anchor::EstateDate(_) | Anchor::KeyDate(_) => true,
        Anchor::Solar(..) | Anchor::Lunar(..) | Anchor::Festival(_) | Anchor::Recurrence(_) => false,
    }
}

/// The first day of the anchor from which something can be due on or after `seek`.
fn anchor_day(anchor: &Anchor, fact: Option<Date>, seek: Date, definition: &Definition, rules: &Rules) -> Result<Option<Date>> {
    // An anchor may lie before the day that is due: as far as the offset reaches.
    let start = match &definition.offset {
        Some((false, span)) => rules.shift(seek, true, span)?,
        Some((true, _)) | None => seek,
    };
    Ok(match anchor {
        Anchor::Fact(_) | Anchor::EstateDate(_) | Anchor::KeyDate(_) => fact,
        Anchor::Solar(month, day) => Some(solar(*month, *day, start)?),
        Anchor::Lunar(month, day) => {
            Some(LunarBirthday::new(*month, false, *day).and_then(|day| day.next_on_or_after(start)).map_err(Error::internal)?)
        }
        Anchor::Festival(festival) => Some(Festival::next_on_or_after(*festival, start).map_err(Error::internal)?),
        Anchor::Recurrence(every) => Some(period_start(*every, start)?),
    })
}

/// A day of the solar year; the 29th of February is kept on the 28th in other years.
fn solar(month: u32, day: u32, start: Date) -> Result<Date> {
    let in_year = |year: i16| -> Result<Date> {
        let month = i8::try_from(month).map_err(Error::internal)?;
        let first = Date::new(year, month, 1).map_err(Error::internal)?;
        let day = i8::try_from(day).map_err(Error::internal)?.min(first.days_in_month());
        Date::new(year, month, day).map_err(Error::internal)
    };
    let this = in_year(start.year())?;
    if this >= start { Ok(this) } else { in_year(start.year() + 1) }
}

/// The first day of the period that begins on or after `start`.
pub fn period_start(every: Recurrence, start: Date) -> Result<Date> {
    let months: i16 = match every {
        Recurrence::Week => {
            return if start.weekday() == Weekday::Monday {
                Ok(start)
            } else {
                start.nth_weekday(1, Weekday::Monday).map_err(Error::internal)
            };
        }
        Recurrence::Month => 1,
        Recurrence::Quarter => 3,
        Recurrence::HalfYear => 6,
        Recurrence::Year => 12,
    };
    let first = period_of(months, start)?;
    if first == start { Ok(first) } else { first.checked_add(i64::from(months).months()).map_err(Error::internal) }
}

/// The last day of the period that begins on `first`.
pub fn period_end(every: Recurrence, first: Date) -> Result<Date> {
    let next = period_start(every, first.tomorrow().map_err(Error::internal)?)?;
    next.yesterday().map_err(Error::internal)
}

fn period_of(months: i16, date: Date) -> Result<Date> {
    let month = i16::from(date.month()) - 1;
    let first = i8::try_from(month - month % months + 1).map_err(Error::internal)?;
    Date::new(date.year(), first, 1).map_err(Error::internal)
}

#[cfg(test)]
#[path = "tests/occurrence.rs"]
mod tests;
