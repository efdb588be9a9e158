//! A round of visits: prepared, made, reported, kept as a case.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::{Error, Result};

use super::base::{Change, Document, Promise, TimerKind};
use super::codes::{RoundKind, RoundState as State};
use super::ids::{PlanItemId, ProgrammeId};
use super::programme::{Condition, Exclusion};
use super::terms::{Rules, Terms};

mod verbs;

pub use verbs::{archive, end, report, train};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Sort of visits.
    pub kind: RoundKind,
    /// Name.
    pub title: String,
    /// First day.
    pub from_date: Date,
    /// Last day.
    pub to_date: Date,
    /// Who coordinates.
    pub coordinator: String,
    /// Where it stands.
    pub state: State,
    /// Programme whose touchpoints it carries out.
    pub programme_id: Option<ProgrammeId>,
    /// Definition in that programme.
    pub definition_code: String,
    /// For whom, when it has an audience of its own; `None` for everybody.
    pub audience: Option<Condition>,
    /// Who is left out.
    pub exclusions: Vec<Exclusion>,
    /// Item of an annual plan.
    pub plan_item_id: Option<PlanItemId>,
    /// Its rules.
    pub rules: RoundRules,
    /// Who was trained.
    pub trainings: Vec<Training>,
    /// When the visits ended.
    pub end_time: Option<Timestamp>,
    /// When the report is due.
    pub report_due_time: Option<Timestamp>,
    /// The report is late.
    pub is_report_overdue: bool,
    /// The report.
    pub report: Option<Report>,
    /// The case.
    pub case: Option<Case>,
}

/// Rules of a round, bound when it is created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundRules {
    /// How long before a visit its notice goes out.
    pub notice: Option<Span>,
    /// Least minutes.
    pub min_minutes: u32,
    /// How long after a visit its form is due.
    pub form_due: Option<Span>,
    /// How long after the round its report is due.
    pub report_due: Option<Span>,
    /// Roles that must take part.
    pub required_roles: Vec<String>,
    /// Topics of the training.
    pub training_topics: Vec<String>,
    /// What is taken along.
    pub kit_items: Vec<String>,
}

/// A training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// Who.
    pub subject: String,
    /// Role in the round.
    pub role: String,
    /// Topics.
    pub topics: Vec<String>,
    /// When.
    pub time: Timestamp,
}

/// Figures of a round, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was counted.
    pub figures: Figures,
    /// The same of the round of this kind before.
    pub previous: Option<Figures>,
    /// Analysis.
    pub analysis: String,
    /// Handed in after it was due.
    pub is_late: bool,
    /// When.
    pub submit_time: Timestamp,
    /// Who.
    pub actor_subject: String,
}

/// What the forms of a round amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Visits made.
    pub done_count: i64,
    /// Visits to be made.
    pub due_count: i64,
    /// Sum of the scores.
    pub score_sum: i64,
    /// How many gave one.
    pub score_count: i64,
    /// Issues by category.
    pub issue_counts: std::collections::BTreeMap<String, i64>,
}

impl Figures {
    /// The mean score times 100, rounded half up; 0 without a score.
    pub fn mean_hundredths(&self) -> i64 {
        if self.score_count == 0 { 0 } else { (self.score_sum * 200 + self.score_count) / (2 * self.score_count) }
    }
}

/// A training case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Title.
    pub title: String,
    /// Lesson.
    pub lesson: String,
    /// When.
    pub time: Timestamp,
}

/// What is told of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// How it went today.
    Digest {
        /// The local day.
        date: Date,
        /// Made until then.
        done: i64,
        /// To be made.
        due: i64,
        /// Left out.
        excluded: i64,
    },
    /// The report is late.
    ReportOverdue,
}

impl Document for Round {
    type Fact = Fact;

    const NOUN: &'static str = "visit round";
    const HAS_TEXTS: bool = true;

    fn texts(&mut self) -> Vec<&mut String> {
        self.report.iter_mut().map(|report| &mut report.analysis).collect()
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        // A day's place in lists needs no zone.
        self.from_date.to_zoned(jiff::tz::TimeZone::UTC).map(|day| day.timestamp()).unwrap_or(Timestamp::MIN)
    }

    fn mark_time(&self) -> Option<Timestamp> {
        self.end_time
    }
}

impl RoundRules {
    /// The rules that the care policy has for a sort of visits.
    pub fn of(kind: RoundKind, terms: &Terms) -> Self {
        let visit = terms.visits.get(kind.as_str()).cloned().unwrap_or_default();
        Self {
            notice: visit.notice,
            min_minutes: visit.min_minutes.max(terms.talk_minutes),
            form_due: terms.record_within.clone(),
            report_due: visit.report,
            required_roles: visit.required_roles,
            training_topics: terms.training_topics.clone(),
            kit_items: terms.kit_items.clone(),
        }
    }
}

impl Round {
    /// Whether somebody has heard every topic.
    pub fn is_trained(&self, subject: &str) -> bool {
        self.rules
            .training_topics
            .iter()
            .all(|topic| self.trainings.iter().any(|training| training.subject == subject && training.topics.contains(topic)))
    }

    /// Roles that must take part and that nobody trained for the round has (CA-34).
    pub fn missing_roles(&self) -> Vec<&str> {
        let has = |role: &&String| self.trainings.iter().any(|training| training.role == **role);
        self.rules.required_roles.iter().filter(|role| !has(role)).map(String::as_str).collect()
    }

    /// The next end of a day, from now on.
    fn next_day_end(&self, now: Timestamp, rules: &Rules) -> Result<Timestamp> {
        let today = rules.date(now).max(self.from_date);
        let end = rules.close_of(today, rules.terms.times.digest)?;
        if end > now { Ok(end) } else { rules.close_of(today.tomorrow().map_err(Error::internal)?, rules.terms.times.digest) }
    }

    /// Its visits are drawn up.
    pub fn prepared(&self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        let end = self.next_day_end(now, rules)?;
        Ok(Change::to(Self { state: State::Active, ..self.clone() })
            .promise(Promise::cancel(TimerKind::RoundPrepare))
            .promise(Promise::set(TimerKind::RoundDay, end)))
    }

    /// A day ends: how it went is told; after its last day the round is over.
    pub fn day_ended(&self, counts: (i64, i64, i64), now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        if self.state != State::Active {
            return Ok(None);
        }
        let (done, due, excluded) = counts;
        // A day that closes at 24:00 is the one before.
        let today = rules.date(now.saturating_sub(SignedDuration::from_secs(1)).map_err(Error::internal)?);
        let digest = Fact::Digest { date: today, done, due, excluded };
        if today > self.to_date {
            return Ok(Some(self.ended(now, rules)?));
        }
        let next = self.next_day_end(now, rules)?;
        Ok(Some(Change::to(self.clone()).tell(digest).promise(Promise::set(TimerKind::RoundDay, next))))
    }

    pub(super) fn ended(&self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        let report_due_time = rules.due_if(now, self.rules.report_due.as_ref())?;
        let after = Self { state: State::Ended, end_time: Some(now), report_due_time, ..self.clone() };
        // What was not made is cancelled in the background.
        Ok(Change::to(after)
            .promise(Promise::cancel(TimerKind::RoundDay))
            .promise(Promise::set(TimerKind::RoundPrepare, now))
            .promise(Promise::at(TimerKind::RoundReport, report_due_time)))
    }

    /// A calendar was loaded anew: the report may be due on another day. `None` when nothing moves.
    pub fn recounted(&self, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let (State::Ended, Some(end)) = (self.state, self.end_time) else { return Ok(None) };
        let report_due_time = rules.due_if(end, self.rules.report_due.as_ref())?;
        if report_due_time == self.report_due_time {
            return Ok(None);
        }
        let is_report_overdue = self.is_report_overdue && report_due_time.is_some_and(|due| due <= now);
        let change = Change::to(Self { report_due_time, is_report_overdue, ..self.clone() });
        Ok(Some(change.promise(Promise::at(TimerKind::RoundReport, report_due_time))))
    }

    /// The report was to be in until now (CA-48).
    pub fn report_lapsed(&self) -> Option<Change<Self>> {
        (self.state == State::Ended && !self.is_report_overdue)
            .then(|| Change::to(Self { is_report_overdue: true, ..self.clone() }).tell(Fact::ReportOverdue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_rounded_half_up() {
        let figures = Figures { score_sum: 13, score_count: 3, ..Figures::default() };
        assert_eq!(figures.mean_hundredths(), 433);
        assert_eq!(Figures { score_sum: 1, score_count: 8, ..Figures::default() }.mean_hundredths(), 13);
        assert_eq!(Figures::default().mean_hundredths(), 0);
    }
}
