//! A visit to one home: scheduled, announced, confirmed, made, written down.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::{CustomerId, HouseholdId, UnitId};

use super::base::{Change, Document, Promise, TimerKind};
use super::codes::{OrderKind, VisitState as State};
use super::ids::{TouchpointId, VisitRoundId};
use super::round::Round;
use super::terms::Rules;

mod verbs;

pub use verbs::{appoint, cancel, check_kit, finish, read_brief, schedule, start, submit_form};

/// A visitor's time is given in pieces of this.
pub const SLOT: SignedDuration = SignedDuration::from_mins(15);

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// The round.
    pub round_id: VisitRoundId,
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Whom to turn to.
    pub customer_id: Option<CustomerId>,
    /// What it carries out.
    pub touchpoint_id: Option<TouchpointId>,
    /// Local day on which it is due.
    pub due_date: Date,
    /// Who coordinates.
    pub coordinator: String,
    /// Where it stands.
    pub state: State,
    /// Why it is left out or not made.
    pub reason_code: String,
    /// Who visits; the first leads.
    pub visitors: Vec<String>,
    /// When it begins, as arranged.
    pub start_time: Option<Timestamp>,
    /// When it ends, as arranged.
    pub end_time: Option<Timestamp>,
    /// When the notice went out.
    pub notice_time: Option<Timestamp>,
    /// Too late a notice, or none (CA-35).
    pub is_without_notice: bool,
    /// When the appointment was made.
    pub appoint_time: Option<Timestamp>,
    /// When it was confirmed again.
    pub reconfirm_time: Option<Timestamp>,
    /// When the brief was read.
    pub brief_read_time: Option<Timestamp>,
    /// What was taken along.
    pub kit_items: Vec<String>,
    /// When the talk began.
    pub begin_time: Option<Timestamp>,
    /// When it was over.
    pub finish_time: Option<Timestamp>,
    /// When the form is due.
    pub form_due_time: Option<Timestamp>,
    /// The form is late.
    pub is_form_overdue: bool,
    /// The form.
    pub form: Option<Form>,
    /// How the rules were kept.
    pub conformity: Option<Conformity>,
    /// What was not as it should be.
    pub warnings: Vec<String>,
    /// How often it was moved.
    pub reschedule_count: u32,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// 1 to 5; 0 for none.
    pub score: u8,
    /// In general.
    pub note: String,
    /// Issues.
    pub issues: Vec<Issue>,
    /// Somebody must hear of it at once.
    pub is_important: bool,
    /// Position of the leading visitor.
    pub position: String,
    /// Filled after it was due.
    pub is_late: bool,
    /// When it came in.
    pub submit_time: Timestamp,
}

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Kind of the order that it becomes.
    pub kind: OrderKind,
    /// Category.
    pub category: String,
    /// What it is about.
    pub description: String,
    /// The order.
    pub work_order_id: Option<steward_kit::ids::WorkOrderId>,
}

/// How the rules were kept (F-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conformity {
    /// The notice was early enough.
    pub notice: bool,
    /// The talk was long enough (CA-53).
    pub duration: bool,
    /// The form was in time.
    pub form: bool,
    /// The visitors were trained.
    pub training: bool,
    /// The kit was complete.
    pub kit: bool,
}

impl Conformity {
    /// Whether every rule was kept.
    pub fn is_full(self) -> bool {
        self.notice && self.duration && self.form && self.training && self.kit
    }
}

/// What is told of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The notice is to go.
    NoticeDue,
    /// It was moved.
    Rescheduled,
    /// The issue of this place was raised.
    IssueRaised(usize),
    /// Something important was said.
    Important,
    /// The form is late.
    FormOverdue,
}

impl Document for Visit {
    type Fact = Fact;

    const NOUN: &'static str = "visit";
    const HAS_TEXTS: bool = true;

    fn texts(&mut self) -> Vec<&mut String> {
        let Some(form) = &mut self.form else { return Vec::new() };
        std::iter::once(&mut form.note).chain(form.issues.iter_mut().map(|issue| &mut issue.description)).collect()
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        let due = self.due_date.to_zoned(jiff::tz::TimeZone::UTC).map(|day| day.timestamp()).unwrap_or(Timestamp::MIN);
        self.start_time.unwrap_or(due)
    }

    fn mark_time(&self) -> Option<Timestamp> {
        self.finish_time
    }
}

/// Who goes when.
#[derive(Clone, Debug)]
pub struct Arrangement {
    /// Who; the first leads.
    pub visitors: Vec<String>,
    /// When it begins.
    pub start_time: Timestamp,
    /// How long.
    pub minutes: u32,
}

impl Arrangement {
    /// The visitors' pieces of time that it takes.
    pub fn slots(&self) -> Vec<(String, Timestamp)> {
        let count = i32::try_from(self.minutes / 15).unwrap_or(i32::MAX);
        let times: Vec<Timestamp> = (0..count).filter_map(|at| self.start_time.checked_add(SLOT * at).ok()).collect();
        self.visitors.iter().flat_map(|visitor| times.iter().map(|time| (visitor.clone(), *time))).collect()
    }
}

impl Visit {
    fn warn(&mut self, code: &str) {
        if !self.warnings.iter().any(|known| known == code) {
            self.warnings.push(code.to_owned());
        }
    }

    fn conformity(&self, round: &Round) -> Conformity {
        let length = self.begin_time.zip(self.finish_time).map(|(begin, finish)| finish.duration_since(begin));
        Conformity {
            notice: !self.is_without_notice && (self.notice_time.is_some() || round.rules.notice.is_none()),
            duration: length.is_some_and(|length| length >= SignedDuration::from_mins(round.rules.min_minutes.into())),
            form: self.form.as_ref().is_some_and(|form| !form.is_late),
            training: self.visitors.iter().all(|visitor| round.is_trained(visitor)),
            kit: round.rules.kit_items.iter().all(|item| self.kit_items.contains(item)),
        }
    }

    /// Left out, or no longer: as the owner of facts says each day (CA-39). `None` when nothing changes.
    pub fn judged(&self, exclusion: Option<&str>, is_member: bool) -> Option<Change<Self>> {
        match (self.state, exclusion) {
            (State::Open | State::Scheduled, Some(code)) => {
                let after = Self { state: State::Excluded, reason_code: code.to_owned(), ..self.clone() }.unscheduled();
                Some(Change::to(after).promise(Promise::cancel(TimerKind::VisitNotice)))
            }
            (State::Excluded, None) if is_member => {
                Some(Change::to(Self { state: State::Open, reason_code: String::new(), ..self.clone() }))
            }
            (State::Excluded, Some(code)) if code != self.reason_code => {
                Some(Change::to(Self { reason_code: code.to_owned(), ..self.clone() }))
            }
            (
                State::Open | State::Scheduled | State::UnderWay | State::Done | State::Closed | State::Excluded | State::Cancelled,
                Some(_) | None,
            ) => None,
        }
    }

    fn unscheduled(self) -> Self {
        Self { visitors: Vec::new(), start_time: None, end_time: None, appoint_time: None, reconfirm_time: None, ..self }
    }

    /// The notice goes out.
    pub fn notify(&self, round: &Round, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let (State::Scheduled, None, Some(start)) = (self.state, self.notice_time, self.start_time) else { return Ok(None) };
        let latest = match &round.rules.notice {
            Some(span) => rules.shift(rules.date(start), true, span)?,
            None => rules.date(start),
        };
        let mut after = Self { notice_time: Some(now), is_without_notice: rules.date(now) > latest, ..self.clone() };
        if after.is_without_notice {
            after.warn("WITHOUT_NOTICE");
        }
        Ok(Some(Change::to(after).tell(Fact::NoticeDue)))
    }

    /// The form was to be in until now (CA-54).
    pub fn form_lapsed(&self) -> Option<Change<Self>> {
        (self.state == State::Done && !self.is_form_overdue)
            .then(|| Change::to(Self { is_form_overdue: true, ..self.clone() }).tell(Fact::FormOverdue))
    }

    /// A calendar was loaded anew: the form may be due on another day. `None` when nothing moves.
    pub fn recounted(&self, round: &Round, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let (State::Done, Some(finish)) = (self.state, self.finish_time) else { return Ok(None) };
        let form_due_time = rules.due_if(finish, round.rules.form_due.as_ref())?;
        if form_due_time == self.form_due_time {
            return Ok(None);
        }
        let is_form_overdue = self.is_form_overdue && form_due_time.is_some_and(|due| due <= now);
        let change = Change::to(Self { form_due_time, is_form_overdue, ..self.clone() });
        Ok(Some(change.promise(Promise::at(TimerKind::VisitForm, form_due_time))))
    }

    /// The round ended before it was made.
    pub fn round_ended(&self) -> Option<Change<Self>> {
        match self.state {
            State::Open | State::Scheduled => {
                let after = Self { state: State::Cancelled, reason_code: "round_ended".to_owned(), ..self.clone() }.unscheduled();
                Some(Change::to(after).promise(Promise::cancel(TimerKind::VisitNotice)))
            }
            State::UnderWay | State::Done | State::Closed | State::Excluded | State::Cancelled => None,
        }
    }
}
