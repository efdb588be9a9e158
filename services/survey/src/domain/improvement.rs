//! Improvement plans: measures with owners and dates, followed until their effect is known (SV-16 to SV-19, SV-33).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};

use super::codes::PlanState;
use super::ids::ImprovementPlanId;
use super::refusal::forbids;

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImprovementPlan {
    /// Its id.
    pub id: ImprovementPlanId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: PlanState,
    /// What it rests on.
    pub sources: Vec<PlanSource>,
    /// Who answers for it.
    pub owner: String,
    /// The written report.
    pub document_ref: String,
    /// What is done.
    pub measures: Vec<Measure>,
    /// What shall change.
    pub target: Option<EffectTarget>,
    /// What changed.
    pub effect: Option<Effect>,
    /// When it was submitted.
    pub submit_time: Option<Timestamp>,
    /// When the last measure was done.
    pub implement_time: Option<Timestamp>,
    /// When its effect is due to be known.
    pub follow_up_due_time: Option<Timestamp>,
    /// When it was verified or given up.
    pub end_time: Option<Timestamp>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// What a plan rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSource {
    /// Kind.
    pub kind: String,
    /// Id or code.
    pub reference: String,
}

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its code.
    pub code: String,
    /// What is done.
    pub text: String,
    /// Who does it.
    pub owner: String,
    /// By when.
    pub due_date: Date,
    /// How far it is.
    pub progress_percent: u32,
    /// When it was done.
    pub done_date: Option<Date>,
}

impl Measure {
    /// Whether it was not done in time.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.done_date.unwrap_or(today) > self.due_date
    }
}

/// What shall change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectTarget {
    /// The figure.
    pub metric: String,
    /// Its value before.
    pub baseline: f64,
    /// Its value aimed at.
    pub goal: f64,
    /// The baseline window.
    pub baseline_window: Option<(Date, Date)>,
}

/// What changed (F-22).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The figure in the follow window.
    pub value: f64,
    /// Value minus baseline, in millionths.
    pub difference_millionths: i64,
    /// The goal was reached.
    pub goal_reached: bool,
    /// The follow window.
    pub window: (Date, Date),
}

/// What a plan wrote down, in whole millionths.
#[allow(clippy::cast_possible_truncation, reason = "saturates; figures of plans are far below 2^63 millionths")]
fn millionths(value: f64) -> i64 {
    (value * 1e6).round() as i64
}

impl ImprovementPlan {
    /// Puts it under way. It needs an owner, its report and measures (SV-16).
    ///
    /// # Errors
    /// STATE_FORBIDS, PLAN_INCOMPLETE.
    pub fn submit(&self, now: Timestamp) -> Result<Self> {
        self.must_be(&[PlanState::Draft])?;
        let mut bad = Violations::new();
        let mut needed = |missing: bool, field: &str, what: &str| {
            if missing {
                bad.add(field, "PLAN_INCOMPLETE", what);
            }
        };
        needed(self.owner.trim().is_empty(), "owner", "a plan needs somebody who answers for it");
        needed(self.document_ref.trim().is_empty(), "document_ref", "a plan is a written report");
        needed(self.measures.is_empty(), "measures", "a plan needs measures");
        bad.finish()?;
        Ok(Self { state: PlanState::Submitted, submit_time: Some(now), update_time: now, ..self.clone() })
    }

    /// How far a measure is. The last one done starts the follow window, which ends at `follow_up_due` (SV-17).
    ///
    /// # Errors
    /// STATE_FORBIDS, MEASURE_UNKNOWN.
    pub fn progress(&self, code: &str, percent: u32, today: Date, follow_up_due: Option<Timestamp>, now: Timestamp) -> Result<Self> {
        self.must_be(&[PlanState::Submitted])?;
        let mut plan = Self { update_time: now, ..self.clone() };
        let measure = plan.measures.iter_mut().find(|measure| measure.code == code);
        let measure = measure.ok_or_else(|| Error::invalid("measure_code", "MEASURE_UNKNOWN", "the plan has no such measure"))?;
        measure.progress_percent = percent;
        measure.done_date = (percent >= 100).then(|| measure.done_date.unwrap_or(today));
        if plan.measures.iter().all(|measure| measure.done_date.is_some()) {
            plan.state = PlanState::Implemented;
            plan.implement_time = Some(now);
            plan.follow_up_due_time = follow_up_due;
        }
        Ok(plan)
    }

    /// The follow window is over; `None` when it does not matter any more.
    pub fn follow_up_due(&self, now: Timestamp) -> Option<Self> {
        (self.state == PlanState::Implemented).then(|| Self { state: PlanState::FollowUpDue, update_time: now, ..self.clone() })
    }

    /// The figure in the follow window, against the baseline (F-22).
    ///
    /// # Errors
    /// STATE_FORBIDS, PLAN_INCOMPLETE without a target.
    pub fn record_effect(&self, value: f64, window: (Date, Date), now: Timestamp) -> Result<Self> {
        self.must_be(&[PlanState::FollowUpDue])?;
        let target = self.target.as_ref();
        let target = target.ok_or_else(|| Error::invalid("target", "PLAN_INCOMPLETE", "the plan says nowhere what shall change"))?;
        // Exactly, to the millionth that a plan can write down: 0.95 reaches 0.95.
        let (baseline, goal, reached) = (millionths(target.baseline), millionths(target.goal), millionths(value));
        // A goal below the baseline is one to come down to, such as complaints.
        let goal_reached = if goal >= baseline { reached >= goal } else { reached <= goal };
        let effect = Effect { value, difference_millionths: reached - baseline, goal_reached, window };
        Ok(Self { state: PlanState::Verified, effect: Some(effect), end_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Gives it up.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn cancel(&self, now: Timestamp) -> Result<Self> {
        self.must_be(&[PlanState::Draft, PlanState::Submitted, PlanState::Implemented, PlanState::FollowUpDue])?;
        Ok(Self { state: PlanState::Cancelled, end_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Refuses unless it stands in one of `states`.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn must_be(&self, states: &[PlanState]) -> Result<()> {
        if states.contains(&self.state) {
            return Ok(());
        }
        let allowed: &[&str] = match self.state {
            PlanState::Draft => &["update", "submit", "cancel"],
            PlanState::Submitted => &["record_progress", "cancel"],
            PlanState::Implemented => &["cancel"],
            PlanState::FollowUpDue => &["record_effect", "cancel"],
            PlanState::Verified | PlanState::Cancelled => &[],
        };
        Err(forbids(format!("improvement plan {}", self.id), self.state.as_str(), allowed, "the plan's state does not allow this"))
    }
}
