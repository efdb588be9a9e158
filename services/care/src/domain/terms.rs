//! What the care policy of an estate says, after its layers were laid over each other. What no layer says is `None` or empty, and
//! then nothing is promised: no number stands in code.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, Family, Span, Unit};
use steward_kit::{Error, Result};

use super::community_terms::CommunityTerms;
use super::programme::{Exclusion, Recurrence};

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
    /// Cards, uses of the fund, packages.
    pub community: CommunityTerms,
    /// When on their day things happen.
    pub times: Times,
    /// How long a touchpoint that ended is kept; `None` for ever.
    pub touchpoints_kept: Option<Span>,
    /// The layer that has to reach every household (F-09).
    pub coverage_layer: Option<String>,
    /// How far back the brief of a visit looks.
    pub brief_window: Option<Span>,
    /// How long before the year ends whoever owes talks is warned of.
    pub warn_before: Option<Span>,
    /// Topics that are held back in a situation (CA-12).
    pub suppressions: Vec<Suppression>,
    /// How large the catalogue of actions was and is to be (CA-07).
    pub catalogue_goal: (u32, u32),
}

/// Local times of day. Where no layer says one, the day itself is all that was promised: it begins at its first minute and ends with
/// its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Touchpoints whose definition names none (CA-28).
    pub touchpoint: Option<Time>,
    /// Notices of visits (CA-35).
    pub notice: Option<Time>,
    /// Digests of rounds (CA-40).
    pub digest: Option<Time>,
}

/// Topics held back while a condition holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    /// The situation: the reason that is kept, and for whom it holds.
    pub when: Exclusion,
    /// The topics; each with those below it.
    pub topics: Vec<String>,
}

impl Suppression {
    /// Whether it speaks of a topic: `marketing` covers `marketing.building_materials`.
    pub fn covers(&self, topic: &str) -> bool {
        let is_below = |held: &String| topic.strip_prefix(held.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        !topic.is_empty() && self.topics.iter().any(is_below)
    }
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
    /// How often one is held; `None` when people decide.
    pub every: Option<Recurrence>,
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

    /// The instant of a local day at which something of it is done: at its time, or as the day begins.
    pub fn begin_of(&self, date: Date, time: Option<Time>) -> Result<Timestamp> {
        self.at(date, time.unwrap_or_else(Time::midnight))
    }

    /// The instant at which a local day is over for some purpose: its time, or 24:00.
    pub fn close_of(&self, date: Date, time: Option<Time>) -> Result<Timestamp> {
        match time {
            Some(time) => self.at(date, time),
            None => self.end_of(date),
        }
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

/// Whether a span counts working days, and so depends on the years that are loaded.
pub fn counts_working_days(span: &Span) -> bool {
    match span.unit().family() {
        Family::WorkingDays => true,
        Family::Clock | Family::CivilDays => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::programme::Condition;

    /// CA-12: a topic covers those below it, and no other that begins alike.
    #[test]
    fn a_topic_covers_what_lies_below_it() {
        let when = Exclusion { code: "renovation_active".to_owned(), condition: Condition(Vec::new()) };
        let held = Suppression { when, topics: vec!["marketing.building_materials".to_owned(), "sales".to_owned()] };
        for (topic, covered) in [
            ("marketing.building_materials", true),
            ("marketing.building_materials.tiles", true),
            ("sales.flats", true),
            ("marketing", false),
            ("salesroom", false),
            ("", false),
        ] {
            assert_eq!(held.covers(topic), covered, "{topic}");
        }
    }
}
