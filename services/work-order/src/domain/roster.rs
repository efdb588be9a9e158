//! Who may become accountable for an order, and why not the others (WO-23, WO-79).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::case::is_at_or_below;
use super::work_order::WorkOrder;

/// From when until just before when somebody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shift {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant that is no longer of the shift.
    pub end: Timestamp,
}

/// One of an estate's roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Staff subject.
    pub principal: String,
    /// Category codes; a code covers the codes below it.
    pub skills: Vec<String>,
    /// Staff subject whom they report to.
    pub line_manager: Option<String>,
    /// Half-open; they do not overlap.
    pub shifts: Vec<Shift>,
    /// How many orders they may have under way.
    pub open_limit: u32,
    /// How near they are, as a code of the policy's classes; empty when nobody knows.
    pub distance_class: String,
}

/// One of the roster at a moment: with what they have then, and what tells whether they took anything since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// They.
    pub worker: Worker,
    /// How many orders of the estate they have under way.
    pub open: u32,
    /// How often they became accountable for an order of the estate.
    pub takes: i64,
    /// When they last did.
    pub take_time: Option<Timestamp>,
}

/// Somebody of the roster became accountable for an order, decided on by how they stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// Staff subject.
    pub principal: String,
    /// How often they had become accountable before.
    pub takes: i64,
}

/// Why an order is not somebody's to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    /// The order complains about them, or about somebody above or below them.
    Accused,
    /// They are not on the estate's roster.
    NotOnRoster,
    /// No shift of theirs holds now.
    OffShift,
    /// No skill of theirs covers the category.
    LacksSkill,
    /// They have as many orders under way as they may.
    AtLimit,
}

impl Bar {
    /// The reason as `ErrorReason` names it, without the prefix.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Accused => "STAFF_ACCUSED",
            Self::NotOnRoster => "NOT_ON_ROSTER",
            Self::OffShift => "OFF_SHIFT",
            Self::LacksSkill => "LACKS_SKILL",
            Self::AtLimit => "AT_LIMIT",
        }
    }

    /// The same as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Accused => "the order complains about them or their line",
            Self::NotOnRoster => "they are not on the estate's roster",
            Self::OffShift => "no shift of theirs holds now",
            Self::LacksSkill => "no skill of theirs covers the category",
            Self::AtLimit => "they have as many orders under way as they may",
        }
    }
}

/// Why a worker is refused by the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They stand in the batch already.
    Repeated,
    /// A shift ends before it begins, or overlaps another.
    Shift,
    /// They report to themselves.
    Line,
}

impl Fault {
    /// The reason as `ErrorReason` names it, without the prefix.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Repeated => "WORKER_REPEATED",
            Self::Shift => "SHIFT_INVALID",
            Self::Line => "LINE_INVALID",
        }
    }
}

/// Who reports to whom in an estate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, String>);

/// What rules are asked with when an order complains about nobody.
pub(crate) static NO_LINES: Lines = Lines(BTreeMap::new());

impl Lines {
    /// Lines of pairs: who reports, and to whom.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Whether `subject` is one of the accused, or above or below one of them.
    pub fn involve(&self, accused: &[String], subject: &str) -> bool {
        let above = self.above(subject);
        accused.iter().any(|accused| accused == subject || above.contains(accused.as_str()) || self.above(accused).contains(subject))
    }

    /// Everybody above somebody. A ring of managers ends where it closes.
    fn above<'a>(&'a self, subject: &'a str) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut at = subject;
        while let Some(next) = self.0.get(at).filter(|next| seen.insert(next.as_str())) {
            at = next;
        }
        seen
    }
}

/// Everything that bars somebody from taking an order.
pub fn bars(order: &WorkOrder, candidate: &Candidate, lines: &Lines, now: Timestamp) -> Vec<Bar> {
    let worker = &candidate.worker;
    [
        (Bar::Accused, lines.involve(&order.accused, &worker.principal)),
        (Bar::OffShift, !worker.shifts.iter().any(|shift| shift.start <= now && now < shift.end)),
        (Bar::LacksSkill, !worker.skills.iter().any(|skill| is_at_or_below(&order.category, skill))),
        (Bar::AtLimit, candidate.is_at_limit()),
    ]
    .into_iter()
    .filter_map(|(bar, holds)| holds.then_some(bar))
    .collect()
}

/// What is wrong with each worker of a batch, `None` for those that are right.
pub fn check_batch(batch: &[Worker]) -> Vec<Option<Fault>> {
    let mut seen = BTreeSet::new();
    batch.iter().map(|worker| if seen.insert(&worker.principal) { worker.fault() } else { Some(Fault::Repeated) }).collect()
}

impl Candidate {
    /// Whether they have as many orders under way as they may.
    pub const fn is_at_limit(&self) -> bool {
        self.open >= self.worker.open_limit
    }
}

impl Worker {
    fn fault(&self) -> Option<Fault> {
        let mut shifts = self.shifts.clone();
        shifts.sort();
        let overlap = shifts.windows(2).any(|pair| matches!(pair, [one, next] if next.start < one.end));
        if overlap || shifts.iter().any(|shift| shift.end <= shift.start) {
            return Some(Fault::Shift);
        }
        (self.line_manager.as_ref() == Some(&self.principal)).then_some(Fault::Line)
    }
}
