//! Programmes: surveys that are repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::ids::EstateId;

use super::codes::ProgrammeKind;
use super::ids::{ProgrammeId, QuestionnaireId};

/// A survey that is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// Its code; the policy speaks of it by this.
    pub code: String,
    /// The estate it is for; `None` for every one.
    pub estate_id: Option<EstateId>,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What it is for.
    pub kind: ProgrammeKind,
    /// How often a wave is held.
    pub cadence: Option<Span>,
    /// What its waves ask.
    pub questionnaire_id: QuestionnaireId,
    /// Waves are archived only with an improvement plan (SV-03).
    pub requires_improvement_plan: bool,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}
