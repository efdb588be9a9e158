//! A round of visits: prepared, made, reported, kept as a case.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::{Error, Result};

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids};
use super::codes::{RoundKind, RoundState as State};
use super::ids::{PlanItemId, ProgrammeId};
use super::programme::{Condition, Exclusion};
use super::terms::{Rules, Terms};

/// When a day of a round ends and its coordinator hears how it went (CA-40).
pub const DAY_ENDS: Time = Time::constant(18, 0, 0, 0);

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
        let end = rules.at(today, DAY_ENDS)?;
        if end > now { Ok(end) } else { rules.at(today.tomorrow().map_err(Error::internal)?, DAY_ENDS) }
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
        let today = rules.date(now);
        let digest = Fact::Digest { date: today, done, due, excluded };
        if today > self.to_date {
            return Ok(Some(self.ended(now, rules)?));
        }
        let next = self.next_day_end(now, rules)?;
        Ok(Some(Change::to(self.clone()).tell(digest).promise(Promise::set(TimerKind::RoundDay, next))))
    }

    fn ended(&self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        let report_due_time = rules.due_if(now, self.rules.report_due.as_ref())?;
        let after = Self { state: State::Ended, end_time: Some(now), report_due_time, ..self.clone() };
        // What was not made is cancelled in the background.
        Ok(Change::to(after)
            .promise(Promise::cancel(TimerKind::RoundDay))
            .promise(Promise::set(TimerKind::RoundPrepare, now))
            .promise(Promise::at(TimerKind::RoundReport, report_due_time)))
    }

    /// The report was to be in until now (CA-48).
    pub fn report_lapsed(&self) -> Option<Change<Self>> {
        (self.state == State::Ended && !self.is_report_overdue)
            .then(|| Change::to(Self { is_report_overdue: true, ..self.clone() }).tell(Fact::ReportOverdue))
    }
}

/// Somebody was trained.
pub fn train(before: &Stored<Round>, training: Training) -> Result<Change<Round>> {
    match before.value.state {
        State::Preparing | State::Active => {
            let mut after = before.value.clone();
            after.trainings.push(training);
            Ok(Change::to(after))
        }
        State::Ended | State::Reported | State::Archived => refuse(before),
    }
}

/// The visits end.
pub fn end(before: &Stored<Round>, now: Timestamp, rules: &Rules) -> Result<Change<Round>> {
    match before.value.state {
        State::Active => before.value.ended(now, rules),
        State::Preparing | State::Ended | State::Reported | State::Archived => refuse(before),
    }
}

/// The report comes in.
pub fn report(before: &Stored<Round>, report: Report) -> Result<Change<Round>> {
    match before.value.state {
        State::Ended => {
            let is_late = before.value.report_due_time.is_some_and(|due| report.submit_time > due);
            let after = Round { state: State::Reported, report: Some(Report { is_late, ..report }), ..before.value.clone() };
            Ok(Change::to(after).promise(Promise::cancel(TimerKind::RoundReport)))
        }
        State::Preparing | State::Active | State::Reported | State::Archived => refuse(before),
    }
}

/// The round becomes a case that names nobody (CA-49).
pub fn archive(before: &Stored<Round>, case: Case) -> Result<Change<Round>> {
    match before.value.state {
        State::Reported => {
            let mut bad = steward_kit::error::Violations::new();
            for (field, text) in [("title", &case.title), ("lesson", &case.lesson)] {
                if names_somebody(text) {
                    bad.add(field, "PERSONAL_DATA", "must not hold a phone or identity number or an address of mail");
                }
            }
            bad.finish()?;
            Ok(Change::to(Round { state: State::Archived, case: Some(case), ..before.value.clone() }))
        }
        State::Preparing | State::Active | State::Ended | State::Archived => refuse(before),
    }
}

/// A run of seven or more digits, written together or with strokes, or an address of mail.
fn names_somebody(text: &str) -> bool {
    let mut run = 0;
    for letter in text.chars() {
        match letter {
            _ if letter.is_numeric() => run += 1,
            '-' | ' ' | '_' if run > 0 => {}
            _ => run = 0,
        }
        if run >= 7 {
            return true;
        }
    }
    text.split_whitespace().any(|word| word.contains('@') && word.contains('.'))
}

fn refuse(before: &Stored<Round>) -> Result<Change<Round>> {
    let allowed: &[&'static str] = match before.value.state {
        State::Preparing => &["RecordTraining"],
        State::Active => &["RecordTraining", "EndVisitRound"],
        State::Ended => &["SubmitRoundReport"],
        State::Reported => &["ArchiveVisitRound"],
        State::Archived => &[],
    };
    forbids::<Round, _>("ROUND_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CA-49: a case names nobody.
    #[test]
    fn texts_that_name_somebody_are_noticed() {
        for text in ["call 138 0013 8000", "13800138000", "id 110101-19900307-1234", "mail li@example.com", "１３８００１３８０００"]
        {
            assert!(names_somebody(text), "{text}");
        }
        for text in ["12 of 40 homes had draughty windows in 2026", "风大漏水 3 次"] {
            assert!(!names_somebody(text), "{text}");
        }
    }

    #[test]
    fn a_mean_is_rounded_half_up() {
        let figures = Figures { score_sum: 13, score_count: 3, ..Figures::default() };
        assert_eq!(figures.mean_hundredths(), 433);
        assert_eq!(Figures { score_sum: 1, score_count: 8, ..Figures::default() }.mean_hundredths(), 13);
        assert_eq!(Figures::default().mean_hundredths(), 0);
    }
}
