//! What every resource has, and what a verb makes of one: the new document, facts to tell, promises to set. Nothing is done here.

use jiff::Timestamp;
use steward_kit::error::WrongState;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

/// A document and what stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// Its id.
    pub id: Uuid,
    /// Its estate.
    pub estate_id: EstateId,
    /// How often it was written; 0 before the first time.
    pub row_version: i64,
    /// When it was first written.
    pub create_time: Timestamp,
    /// When it was last written.
    pub update_time: Timestamp,
    /// Its free texts as they stand in the row, sealed; `None` once they are back in the document. While they are sealed they are empty
    /// there, and a write leaves them as they are.
    pub sealed: Option<Vec<u8>>,
    /// The document.
    pub value: T,
}

impl<T> Stored<T> {
    /// One that was not written yet.
    pub fn new(id: impl Into<Uuid>, estate_id: EstateId, value: T, now: Timestamp) -> Self {
        Self { id: id.into(), estate_id, row_version: 0, create_time: now, update_time: now, sealed: None, value }
    }

    /// The same with another document, as it will be when it is written.
    pub fn with<U>(&self, value: U, now: Timestamp) -> Stored<U> {
        Stored {
            id: self.id,
            estate_id: self.estate_id,
            row_version: self.row_version + 1,
            create_time: self.create_time,
            update_time: now,
            sealed: self.sealed.clone(),
            value,
        }
    }
}

/// A kind of document.
pub trait Document: Clone + serde::Serialize + serde::de::DeserializeOwned + Send + Sync + Unpin + 'static {
    /// What can be told of it.
    type Fact: Clone + std::fmt::Debug + Send + Sync;

    /// In words: `visit`.
    const NOUN: &'static str;

    /// Where it stands, as text.
    fn state(&self) -> &'static str;

    /// Its place in lists.
    fn sort_time(&self) -> Timestamp;

    /// The moment that counts of it.
    fn mark_time(&self) -> Option<Timestamp> {
        None
    }

    /// What may be there once in an estate.
    fn unique_key(&self) -> Option<String> {
        None
    }

    /// Whether it has free texts: what people wrote, and what may name somebody. Its table keeps them sealed.
    const HAS_TEXTS: bool = false;

    /// Every one of them, in an order that only the rest of the document decides.
    fn texts(&mut self) -> Vec<&mut String> {
        Vec::new()
    }
}

/// Kinds of timers. Each names what happens and the resource that it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// A programme is planned in an estate.
    ProgrammePlan,
    /// A touchpoint's time has come, or what was left out is looked at again.
    TouchpointDue,
    /// A touchpoint was to be done until now.
    TouchpointWindow,
    /// A touchpoint was to be confirmed until now.
    TouchpointConfirm,
    /// The visit that carries out a touchpoint was made.
    TouchpointVisited,
    /// A talk was recorded: touchpoints that it fulfils are confirmed.
    ContactSettle,
    /// The visits of a round are drawn up.
    RoundPrepare,
    /// A day of a round ends.
    RoundDay,
    /// The report of a round is due.
    RoundReport,
    /// The notice of a visit goes out.
    VisitNotice,
    /// The form of a visit is due.
    VisitForm,
    /// An obligation is due.
    ObligationDue,
    /// Minutes are due.
    ForumMinutes,
    /// A calendar was loaded: what an estate counts in working days is counted anew.
    CalendarRecount,
    /// Those who are registered are told that their activity was moved or called off.
    ActivityNotice,
    /// The term of an enrolment is over.
    EnrolmentTerm,
    /// A parcel was kept for long enough.
    ParcelDue,
}

impl TimerKind {
    /// As it stands in the timer's row. Never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProgrammePlan => "programme_plan",
            Self::TouchpointDue => "touchpoint_due",
            Self::TouchpointWindow => "touchpoint_window",
            Self::TouchpointConfirm => "touchpoint_confirm",
            Self::TouchpointVisited => "touchpoint_visited",
            Self::ContactSettle => "contact_settle",
            Self::RoundPrepare => "round_prepare",
            Self::RoundDay => "round_day",
            Self::RoundReport => "round_report",
            Self::VisitNotice => "visit_notice",
            Self::VisitForm => "visit_form",
            Self::ObligationDue => "obligation_due",
            Self::ForumMinutes => "forum_minutes",
            Self::CalendarRecount => "calendar_recount",
            Self::ActivityNotice => "activity_notice",
            Self::EnrolmentTerm => "enrolment_term",
            Self::ParcelDue => "parcel_due",
        }
    }
}

/// A promise: set to a time, or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What happens.
    pub kind: TimerKind,
    /// Of what it happens, when that is not the resource itself.
    pub subject: Option<Uuid>,
    /// When; `None` takes it back.
    pub due: Option<Timestamp>,
}

impl Promise {
    /// Set, or moved, to `due`.
    pub const fn set(kind: TimerKind, due: Timestamp) -> Self {
        Self { kind, subject: None, due: Some(due) }
    }

    /// Set if there is a time, else taken back.
    pub const fn at(kind: TimerKind, due: Option<Timestamp>) -> Self {
        Self { kind, subject: None, due }
    }

    /// Taken back.
    pub const fn cancel(kind: TimerKind) -> Self {
        Self { kind, subject: None, due: None }
    }

    /// The same about another resource.
    pub fn of(self, subject: impl Into<Uuid>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}

/// What a verb makes.
#[derive(Clone, Debug)]
pub struct Change<T: Document> {
    /// The document as it then is.
    pub after: T,
    /// What is told.
    pub facts: Vec<T::Fact>,
    /// Promises set and taken back.
    pub promises: Vec<Promise>,
}

impl<T: Document> Change<T> {
    /// Only the document changes.
    pub fn to(after: T) -> Self {
        Self { after, facts: Vec::new(), promises: Vec::new() }
    }

    /// And this is told.
    #[must_use]
    pub fn tell(mut self, fact: T::Fact) -> Self {
        self.facts.push(fact);
        self
    }

    /// And this is promised, or no longer.
    #[must_use]
    pub fn promise(mut self, promise: Promise) -> Self {
        self.promises.push(promise);
        self
    }
}

/// A refusal by state.
pub fn forbids<T: Document, A>(reason: &'static str, id: Uuid, state: &str, allowed: &[&'static str]) -> Result<A> {
    let (subject, detail) = (format!("{} {id}", T::NOUN), format!("a {} that is {state} does not allow this", T::NOUN));
    Err(Error::from(WrongState::new(reason, subject, state.to_uppercase(), allowed.iter().copied(), detail)))
}

/// A refusal by another circumstance than the state.
pub fn precondition<A>(reason: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Result<A> {
    Err(Error::from(WrongState::new(reason, subject, "", [] as [&str; 0], detail)))
}
