//! Something owed by a day, with a checklist (M6): one mechanism for checks before a sale, the countdown to a handover, whatever a
//! care policy names.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids, precondition};
use super::codes::ObligationState as State;
use super::ids::{ObligationId, made_of};
use super::terms::{ObligationTerms, Rules};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Code of its template, or of one's own.
    pub code: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Kind of the date it is counted from; empty for a day of its own.
    pub anchor_kind: String,
    /// What it is about.
    pub subject_code: String,
    /// The day it is counted from.
    pub anchor_date: Option<Date>,
    /// When it is due.
    pub due_time: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Role that owes it.
    pub role: String,
    /// Who owes it.
    pub assignee: String,
    /// The checklist.
    pub items: Vec<Item>,
    /// What follows while it is overdue.
    pub flag: String,
    /// Done after it was due.
    pub is_late: bool,
    /// When it was done.
    pub complete_time: Option<Timestamp>,
}

/// A line of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Code.
    pub code: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// A reference must be given.
    pub needs_proof: bool,
    /// Whether it is done.
    pub is_done: bool,
    /// What was found and is not put right yet.
    pub finding: String,
    /// Whether that stands.
    pub has_open_finding: bool,
    /// The reference.
    pub proof_reference: String,
    /// Who.
    pub actor_subject: String,
    /// When.
    pub time: Option<Timestamp>,
}

/// What is told of an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It is past due.
    Overdue,
}

impl Document for Obligation {
    type Fact = Fact;

    const NOUN: &'static str = "obligation";
    const HAS_TEXTS: bool = true;

    fn texts(&mut self) -> Vec<&mut String> {
        self.items.iter_mut().map(|item| &mut item.finding).collect()
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.due_time
    }

    fn mark_time(&self) -> Option<Timestamp> {
        self.complete_time
    }
}

/// The id of what a template brings about for a date of an estate: the date may move, the obligation stays the same.
pub fn obligation_id(estate: EstateId, template: &str, anchor: &str, subject: &str) -> ObligationId {
    made_of(&[estate.as_uuid().as_bytes(), template.as_bytes(), anchor.as_bytes(), subject.as_bytes()]).into()
}

/// What a template brings about for a date. Due until the end of the day.
pub fn from_template(terms: &ObligationTerms, subject: &str, date: Date, rules: &Rules) -> Result<Change<Obligation>> {
    let item = |(code, title_zh, title_en, needs_proof): &(String, String, String, bool)| Item {
        code: code.clone(),
        title_zh: title_zh.clone(),
        title_en: title_en.clone(),
        needs_proof: *needs_proof,
        is_done: false,
        finding: String::new(),
        has_open_finding: false,
        proof_reference: String::new(),
        actor_subject: String::new(),
        time: None,
    };
    let due_time = due_of(terms, date, rules)?;
    let value = Obligation {
        code: terms.code.clone(),
        title_zh: terms.title_zh.clone(),
        title_en: terms.title_en.clone(),
        anchor_kind: terms.anchor.clone(),
        subject_code: subject.to_owned(),
        anchor_date: Some(date),
        due_time,
        state: State::Open,
        role: terms.role.clone(),
        assignee: String::new(),
        items: terms.items.iter().map(item).collect(),
        flag: terms.flag.clone(),
        is_late: false,
        complete_time: None,
    };
    Ok(Change::to(value).promise(Promise::set(TimerKind::ObligationDue, due_time)))
}

fn due_of(terms: &ObligationTerms, date: Date, rules: &Rules) -> Result<Timestamp> {
    let day = match &terms.offset {
        Some(span) => rules.shift(date, terms.before, span)?,
        None => date,
    };
    rules.end_of(day)
}

/// The date it is counted from moved: what is not done moves with it (CA-23). `None` when nothing changes.
pub fn follow(
    before: &Obligation,
    terms: &ObligationTerms,
    date: Date,
    now: Timestamp,
    rules: &Rules,
) -> Result<Option<Change<Obligation>>> {
    match before.state {
        State::Open | State::Overdue if before.anchor_date != Some(date) => {}
        State::Open | State::Overdue | State::Done | State::Cancelled => return Ok(None),
    }
    let due_time = due_of(terms, date, rules)?;
    let state = if due_time > now { State::Open } else { before.state };
    let after = Obligation { anchor_date: Some(date), due_time, state, ..before.clone() };
    Ok(Some(Change::to(after).promise(Promise::set(TimerKind::ObligationDue, due_time))))
}

impl Obligation {
    /// A calendar was loaded anew: it may be due on another day. `None` when nothing moves.
    pub fn recounted(&self, terms: &ObligationTerms, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let (State::Open | State::Overdue, Some(date)) = (self.state, self.anchor_date) else { return Ok(None) };
        let due_time = due_of(terms, date, rules)?;
        if due_time == self.due_time {
            return Ok(None);
        }
        let state = if due_time > now { State::Open } else { self.state };
        let change = Change::to(Self { due_time, state, ..self.clone() });
        Ok(Some(change.promise(Promise::set(TimerKind::ObligationDue, due_time))))
    }

    /// It was to be done until now.
    pub fn lapse(&self) -> Option<Change<Self>> {
        (self.state == State::Open).then(|| Change::to(Self { state: State::Overdue, ..self.clone() }).tell(Fact::Overdue))
    }
}

/// A line is done, or something was found.
pub fn check(
    before: &Stored<Obligation>,
    code: &str,
    proof: &str,
    finding: &str,
    actor: &str,
    now: Timestamp,
) -> Result<Change<Obligation>> {
    expect_open(before)?;
    let mut after = before.value.clone();
    let Some(item) = after.items.iter_mut().find(|item| item.code == code) else {
        return Err(Error::invalid("item_code", "ITEM_UNKNOWN", "must be a line of the checklist"));
    };
    if finding.is_empty() {
        if item.needs_proof && proof.is_empty() {
            return Err(Error::invalid("proof_reference", "PROOF_INCOMPLETE", "must be given for this line"));
        }
        item.is_done = true;
        item.has_open_finding = false;
    } else {
        // What was found stays written down when it is put right.
        item.is_done = false;
        item.has_open_finding = true;
        finding.clone_into(&mut item.finding);
    }
    proof.clone_into(&mut item.proof_reference);
    actor.clone_into(&mut item.actor_subject);
    item.time = Some(now);
    Ok(Change::to(after))
}

/// It is done.
pub fn complete(before: &Stored<Obligation>, now: Timestamp) -> Result<Change<Obligation>> {
    expect_open(before)?;
    let open: Vec<&str> = before.value.items.iter().filter(|item| !item.is_done).map(|item| item.code.as_str()).collect();
    if !open.is_empty() {
        return precondition("CHECKLIST_INCOMPLETE", format!("obligation {}", before.id), format!("open lines: {}", open.join(", ")));
    }
    let is_late = now > before.value.due_time;
    let after = Obligation { state: State::Done, is_late, complete_time: Some(now), ..before.value.clone() };
    Ok(Change::to(after).promise(Promise::cancel(TimerKind::ObligationDue)))
}

/// It is no longer owed.
pub fn cancel(before: &Stored<Obligation>) -> Result<Change<Obligation>> {
    expect_open(before)?;
    let after = Obligation { state: State::Cancelled, ..before.value.clone() };
    Ok(Change::to(after).promise(Promise::cancel(TimerKind::ObligationDue)))
}

fn expect_open(before: &Stored<Obligation>) -> Result<()> {
    match before.value.state {
        State::Open | State::Overdue => Ok(()),
        State::Done | State::Cancelled => forbids::<Obligation, _>("OBLIGATION_STATE_FORBIDS", before.id, before.value.state.as_str(), &[]),
    }
}
