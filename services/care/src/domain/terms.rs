//! What the care policy of an estate says, after its layers were laid over each other. What no layer says is `None` or empty, and
//! then nothing is promised: no number stands in code.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, Family, Span, Unit};
use steward_kit::{Error, Result};

/// Terms of an estate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// How long what is due may wait to be done.
    pub act_within: Option<Span>,
    /// How long what was done may wait to be confirmed.
    pub confirm_within: Option<Span>,
    /// Rules of visits, by code such as `three_month`.
    pub visits: BTreeMap<String, VisitTerms>,
    /// Topics of the training before a round.
    pub training_topics: Vec<String>,
    /// What visitors take along.
    pub kit_items: Vec<String>,
    /// Talks that a position owes in a year.
    pub face_to_face: BTreeMap<String, u32>,
    /// Least minutes of a talk at home.
    pub talk_minutes: u32,
    /// How long after a talk its form is due.
    pub record_within: Option<Span>,
    /// Share of households that is spoken with in a month.
    pub coverage: Option<(u32, u32)>,
    /// Meetings, by code.
    pub meetings: BTreeMap<String, MeetingTerms>,
    /// What the notice of a handover encloses.
    pub enclosures: Vec<String>,
    /// Before the handover: the risk group.
    pub risk_group_before: Option<Span>,
    /// Before the handover: the notice.
    pub notice_before: Option<Span>,
    /// A mock acceptance comes before the handover.
    pub mock_acceptance: bool,
    /// What is owed around dates of the estate.
    pub obligations: Vec<ObligationTerms>,
    /// The 315 plan.
    pub plan_315: Option<Plan315Terms>,
}

/// Rules of one sort of visits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VisitTerms {
    /// How long before a visit its notice goes out.
    pub notice: Option<Span>,
    /// How long after the round its report is due.
    pub report: Option<Span>,
    /// Least minutes.
    pub min_minutes: u32,
    /// Roles that must take part.
    pub required_roles: Vec<String>,
}

/// Rules of one sort of meetings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeetingTerms {
    /// Fewest representatives; 0 means no bound.
    pub least: u32,
    /// Most representatives; 0 means no bound.
    pub most: u32,
    /// How long after the meeting the minutes are due.
    pub minutes_within: Option<Span>,
    /// Roles that must attend.
    pub attendees: Vec<String>,
}

/// Something owed around a date.
#[derive(Clone, Debug, PartialEq)]
pub struct ObligationTerms {
    /// Code.
    pub code: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Kind of the date.
    pub anchor: String,
    /// Before it, else after it.
    pub before: bool,
    /// How far.
    pub offset: Option<Span>,
    /// Role that owes it.
    pub role: String,
    /// Lines of the checklist: code, Chinese, English, whether proof is asked for.
    pub items: Vec<(String, String, String, bool)>,
    /// What follows while it is overdue.
    pub flag: String,
}

/// The 315 plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan315Terms {
    /// The window.
    pub window: Span,
    /// Interview rounds.
    pub interviews: u32,
    /// Improvements.
    pub improvements: u32,
}

/// What verbs decide by: the terms, and how time is counted in the estate.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The terms.
    pub terms: Terms,
    /// The zone.
    pub zone: TimeZone,
    /// The calendars.
    pub calendars: Calendars,
}

impl Rules {
    /// The end of a limit from an instant.
    pub fn due(&self, start: Timestamp, span: &Span) -> Result<Timestamp> {
        Ok(self.calendars.due(start, span, &self.zone).map_err(Error::internal)?.time)
    }

    /// The end of a limit, if there is one.
    pub fn due_if(&self, start: Timestamp, span: Option<&Span>) -> Result<Option<Timestamp>> {
        span.map(|span| self.due(start, span)).transpose()
    }

    /// The local day of an instant.
    pub fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The local year of an instant.
    pub fn year(&self, at: Timestamp) -> i16 {
        self.date(at).year()
    }

    /// An instant of a local day.
    pub fn at(&self, date: Date, time: Time) -> Result<Timestamp> {
        self.zone.to_timestamp(date.to_datetime(time)).map_err(Error::internal)
    }

    /// 24:00 of a local day.
    pub fn end_of(&self, date: Date) -> Result<Timestamp> {
        self.at(date.tomorrow().map_err(Error::internal)?, Time::midnight())
    }

    /// A day that lies before or after another by days, working days, months.
    pub fn shift(&self, date: Date, before: bool, span: &Span) -> Result<Date> {
        let sign = if before { -1 } else { 1 };
        let value = i64::from(span.value());
        let distance = match span.unit() {
            Unit::WorkingDay => return self.working_days(date, before, span.value()),
            Unit::Day => jiff::Span::new().try_days(sign * value),
            Unit::Week => jiff::Span::new().try_weeks(sign * value),
            Unit::Month => jiff::Span::new().try_months(sign * value),
            Unit::Quarter => jiff::Span::new().try_months(sign * value * 3),
            Unit::HalfYear => jiff::Span::new().try_months(sign * value * 6),
            Unit::Year => jiff::Span::new().try_months(sign * value * 12),
            Unit::Second | Unit::Minute | Unit::Hour => return Err(Error::bug("an offset in clock units")),
        };
        date.checked_add(distance.map_err(Error::internal)?).map_err(Error::internal)
    }

    fn working_days(&self, mut date: Date, before: bool, count: u32) -> Result<Date> {
        let mut left = count;
        while left > 0 {
            date = if before { date.yesterday() } else { date.tomorrow() }.map_err(Error::internal)?;
            left -= u32::from(self.calendars.day(date).is_working());
        }
        Ok(date)
    }
}

/// Whether a span counts days or longer, as offsets from a day must.
pub fn counts_days(span: &Span) -> bool {
    match span.unit().family() {
        Family::Clock => false,
        Family::WorkingDays | Family::CivilDays => true,
    }
}
