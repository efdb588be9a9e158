//! Why cases of a category keep coming, what is done about it, and whether it helped (WO-54).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{EstateId, UnitId, WorkOrderId};
use steward_kit::pii::Pii;

use super::actor::Actor;
use super::policy::Policies;

steward_kit::define_id!(RootCauseId, "root cause");
steward_kit::define_id!(CorrectiveActionId, "corrective action");

/// Answers to the six questions. Sealed as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers(pub [Pii<String>; 6]);

/// The six questions, in the order of the answers.
pub const QUESTIONS: [&str; 6] = ["who", "what", "when", "where", "why", "how"];

impl Answers {
    /// The questions without an answer.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        QUESTIONS.iter().zip(&self.0).filter(|(_, answer)| answer.expose().trim().is_empty()).map(|(question, _)| *question)
    }
}

/// A root cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCause {
    /// Id.
    pub id: RootCauseId,
    /// Estate.
    pub estate_id: EstateId,
    /// Category code; the codes below it are meant with it.
    pub category: String,
    /// The answers.
    pub answers: Answers,
    /// Orders that show it.
    pub evidence: Vec<WorkOrderId>,
    /// Who recorded it.
    pub author: Actor,
    /// When.
    pub create_time: Timestamp,
    /// What is done about it, oldest first.
    pub actions: Vec<CorrectiveAction>,
}

/// What is done about a root cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectiveAction {
    /// Id.
    pub id: CorrectiveActionId,
    /// What is done.
    pub description: Pii<String>,
    /// Staff subject who sees to it.
    pub responsible: String,
    /// Local day from which it works.
    pub start_date: Date,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// What it came to, once it was counted.
    pub effect: Option<ActionEffect>,
}

/// Cases of the category before and after an action began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionEffect {
    /// The windows.
    pub windows: EffectWindows,
    /// Cases before.
    pub baseline_count: u32,
    /// Cases after, as far as the window has come.
    pub count: u32,
    /// The window after is over.
    pub complete: bool,
}

/// Windows of the same length on both sides of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectWindows {
    /// First day of the one before.
    pub from: Date,
    /// The start.
    pub start: Date,
    /// Day after the one after.
    pub end: Date,
}

impl EffectWindows {
    /// Windows of so many months; `None` outside the range of dates.
    pub fn around(start: Date, months: u32) -> Option<Self> {
        let months = jiff::Span::new().try_months(i64::from(months)).ok()?;
        Some(Self { from: start.checked_sub(months).ok()?, start, end: start.checked_add(months).ok()? })
    }
}

impl Policies {
    /// Months over which a corrective action is measured.
    pub fn effect_months(&self) -> Option<u32> {
        self.sla.iter().find_map(|layer| layer.document.quality.effect_months)
    }

    /// Days within which a case that comes again is rework.
    pub fn rework_days(&self) -> Option<u32> {
        self.sla.iter().find_map(|layer| layer.document.quality.rework_days)
    }
}

/// A case that came again after one of the same unit and category was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rework {
    /// The place of the later case in its list.
    pub key: ReworkKey,
    /// Its number.
    pub number: String,
    /// The unit of both.
    pub unit: UnitId,
    /// The category of both.
    pub category: String,
    /// The case before.
    pub earlier: WorkOrderId,
    /// Its number.
    pub earlier_number: String,
    /// When that was closed.
    pub close_time: Timestamp,
}

/// Place of rework in its list: by the time of the later case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReworkKey {
    /// When it happened.
    pub occur_time: Timestamp,
    /// The later case.
    pub order: WorkOrderId,
}
