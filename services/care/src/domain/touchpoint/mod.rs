//! One thing that is done to one household: planned, due, acted, confirmed, felt (CA-14); or left out, skipped, held back.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::ids::{CustomerId, HouseholdId, UnitId};

use super::base::Document;
use super::codes::{DriveTag, Layer, Node, TouchpointState as State};
use super::ids::ProgrammeId;
use super::programme::{Action, ProofRule};

mod by_hand;
mod course;

pub use by_hand::{confirm, execute, feel, skip};
pub use course::visited;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Touchpoint {
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Whom to turn to.
    pub customer_id: Option<CustomerId>,
    /// The programme's version; `None` for one household alone.
    pub programme_id: Option<ProgrammeId>,
    /// Code of the programme.
    pub programme_code: String,
    /// Code of the definition.
    pub definition_code: String,
    /// Layer.
    pub layer: Layer,
    /// Node.
    pub node: Option<Node>,
    /// What it appeals to.
    pub drive_tags: Vec<DriveTag>,
    /// What is done.
    pub action: Action,
    /// The day it is counted from.
    pub anchor_date: Date,
    /// When it is due.
    pub due_time: Timestamp,
    /// Local time of day to go by when it is planned again.
    pub local_time: Time,
    /// How long it may wait to be done.
    pub act_within: Option<Span>,
    /// How long it may wait to be confirmed.
    pub confirm_within: Option<Span>,
    /// Last day of the period that it belongs to: until then it may be done, when nothing says how long it may wait.
    #[serde(default)]
    pub period_end: Option<Date>,
    /// Until when it may be done; the end of its window.
    pub window_end: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// Why, where there is a why.
    pub reason_code: String,
    /// Next look at one that is left out.
    pub look_time: Option<Timestamp>,
    /// Why for this household alone.
    pub individual_reason: String,
    /// Of no annual plan.
    pub is_ad_hoc: bool,
    /// What must be shown.
    pub proof_rule: ProofRule,
    /// What was shown.
    pub proof_references: Vec<String>,
    /// What whoever did it wrote down.
    #[serde(default)]
    pub note: String,
    /// Who did it.
    pub actor_subject: String,
    /// What the household felt, 1 to 5; 0 for nothing said.
    pub feedback_score: u8,
    /// Cost in cents.
    pub cost_cents: i64,
    /// When it was done.
    pub act_time: Option<Timestamp>,
    /// When that was confirmed.
    pub confirm_time: Option<Timestamp>,
    /// What happened, oldest first.
    pub steps: Vec<Step>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// What.
    pub code: String,
    /// Why.
    pub reason_code: String,
    /// Who.
    pub actor_subject: String,
}

/// What is told of a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// What is done by others is to be done.
    ActionDue,
    /// Left out.
    Excluded,
    /// Planned again.
    Included,
    /// It arrived.
    Confirmed,
    /// Not done or not confirmed in time.
    Overdue,
}

/// What the owner of facts says of a household at the moment of acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs.
    Member {
        /// Whom to turn to now.
        customer: Option<CustomerId>,
    },
    /// It belongs but is left out.
    Excluded(String),
    /// It does not belong.
    NotMember,
}

/// What somebody shows for having done it.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Photos.
    pub photos: Vec<String>,
    /// Signature.
    pub signature: String,
    /// Note.
    pub note: String,
}

impl Document for Touchpoint {
    type Fact = Fact;

    const NOUN: &'static str = "touchpoint";
    const HAS_TEXTS: bool = true;

    fn texts(&mut self) -> Vec<&mut String> {
        let of_action = match &mut self.action {
            Action::Task { instructions: text, .. } | Action::Order { description: text, .. } => Some(text),
            Action::Message { .. } | Action::Visit { .. } | Action::Survey { .. } => None,
        };
        [&mut self.individual_reason, &mut self.note].into_iter().chain(of_action).collect()
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.due_time
    }

    fn mark_time(&self) -> Option<Timestamp> {
        if self.state == State::Excluded { self.look_time } else { self.confirm_time.or(self.act_time) }
    }
}
