//! What is counted: the facts of an estate in a period.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::codes::{FeedbackState, Mode};
use super::super::ids::WaveId;
use super::super::instrument::Instrument;
use super::Asked;

/// A valid response and when it came.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// When it came.
    pub at: Timestamp,
    /// How it was given.
    pub mode: Mode,
    /// Its weight, in millionths.
    pub weight: i64,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// Valid responses of a wave, and what they answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was asked.
    pub instrument: Arc<Instrument>,
    /// The responses.
    pub rows: Vec<Row>,
}

impl Answered {
    /// For a [`Tally`](super::Tally).
    pub fn asked(&self) -> Asked<'_> {
        Asked { instrument: &self.instrument, rows: self.rows.iter().collect() }
    }
}

/// A wave that was launched in the period.
#[derive(Clone, Debug)]
pub struct WaveSheet {
    /// Its id.
    pub id: WaveId,
    /// Code of its programme.
    pub programme: String,
    /// Households are asked one by one; it counts only where its programme is named.
    pub is_standing: bool,
    /// It was closed with too few valid responses (SV-01).
    pub is_under_sample: bool,
    /// Eligible households.
    pub eligible: i64,
    /// Invitations.
    pub invited: i64,
    /// The wave that it is compared with.
    pub baseline: Option<WaveId>,
}

/// A feedback item.
#[derive(Clone, Copy, Debug)]
pub struct ItemRow {
    /// Its id.
    pub id: Uuid,
    /// When it was assessed, or by when it had to be collated.
    pub at: Timestamp,
    /// Where it stands.
    pub state: FeedbackState,
    /// When it was collated.
    pub collate_time: Option<Timestamp>,
}

/// An improvement plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanRow {
    /// Its id.
    pub id: Uuid,
    /// When its last measure was done, or its effect became known.
    pub at: Timestamp,
    /// What changed, in millionths.
    pub difference: Option<i64>,
}

/// The facts of one estate in a period.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The estate.
    pub estate: EstateId,
    /// Waves that were launched in it, in that order.
    pub waves: Vec<WaveSheet>,
    /// What each of them and each wave that one is compared with was answered; as much of it as is in memory.
    pub answered: HashMap<WaveId, Answered>,
    /// Feedback assessed in it.
    pub assessed: Vec<ItemRow>,
    /// Feedback whose collation was due in it.
    pub collating: Vec<ItemRow>,
    /// Plans whose last measure was done in it.
    pub implemented: Vec<PlanRow>,
    /// Plans whose effect became known in it.
    pub verified: Vec<PlanRow>,
    /// Interview rounds held in it.
    pub interview_rounds: i64,
}

impl Sheet {
    /// Nothing happened yet.
    pub fn new(estate: EstateId) -> Self {
        Self {
            estate,
            waves: Vec::new(),
            answered: HashMap::new(),
            assessed: Vec::new(),
            collating: Vec::new(),
            implemented: Vec::new(),
            verified: Vec::new(),
            interview_rounds: 0,
        }
    }
}
