//! A wave: one round of a survey in one estate.
//!
//! ```text
//! draft ──frame──> framed ──launch──> launched ──close──> closed ──archive──> archived
//!   └───────cancel────┴─> cancelled
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::codes::{Mode, WaveState};
use super::ids::{FrameJobId, ProgrammeId, QuestionnaireVersionId, WaveId};
use super::refusal::forbids;
use super::sampling::Sampling;

/// One round of a survey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    /// Its id.
    pub id: WaveId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its programme.
    pub programme_id: ProgrammeId,
    /// Code of the programme, by which the policy speaks of it.
    pub programme_code: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: WaveState,
    /// How it is held.
    pub design: Design,
    /// The frozen instrument.
    pub version_id: QuestionnaireVersionId,
    /// Address of its content, in hexadecimal.
    pub sha256: String,
    /// The policy versions it goes by, most specific first.
    pub policy_version_ids: Vec<Uuid>,
    /// Valid responses it needs.
    pub required: u32,
    /// It is archived only with an improvement plan.
    pub requires_improvement_plan: bool,
    /// The last frame job.
    pub frame_job_id: Option<FrameJobId>,
    /// When it was launched.
    pub launch_time: Option<Timestamp>,
    /// When it was closed.
    pub close_time: Option<Timestamp>,
    /// Why it was closed under-sampled; `None` when it was not.
    pub under_sample_reason: Option<String>,
    /// What it cost, in fen.
    pub cost_fen: i64,
    /// What residents are shown.
    pub page: Option<ResultPage>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// How a wave is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Answers cannot be traced (SV-40).
    pub is_anonymous: bool,
    /// How answers may be given.
    pub modes: Vec<Mode>,
    /// Who is drawn.
    pub sampling: Sampling,
    /// Who may be asked; `None` for delivered households.
    pub eligibility: Option<Encoded>,
    /// Who is left out.
    pub exclusions: Vec<Exclusion>,
    /// Valid responses asked for; 0 for the policy's.
    pub min_valid: u32,
    /// What it is about.
    pub subject: Option<Subject>,
    /// The wave it is compared with.
    pub pair_wave_id: Option<WaveId>,
    /// The contact limits do not hold (SV-41).
    pub ignores_contact_limits: bool,
    /// When it shall be closed.
    pub close_due_time: Option<Timestamp>,
}

/// A message of the contract that the rules pass on and never read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded(pub Vec<u8>);

impl Serialize for Encoded {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        hex::decode(text.as_ref()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Who is left out, under a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The code.
    pub code: String,
    /// The predicate.
    pub predicate: Encoded,
}

/// What a special wave is about (SV-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Kind.
    pub kind: String,
    /// Code or id.
    pub code: String,
}

/// What residents are shown (SV-31).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultPage {
    /// What the estate says of it.
    pub summary: String,
    /// When it was published.
    pub publish_time: Timestamp,
    /// Valid responses.
    pub n: i64,
    /// Valid responses by invitations.
    pub response_rate: f64,
    /// The figures, as they were then.
    pub figures: Vec<PageFigure>,
}

/// A figure on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageFigure {
    /// Which.
    pub metric: String,
    /// Its method.
    pub method: String,
    /// Responses behind it.
    pub n: i64,
    /// Its value.
    pub value: f64,
    /// The same with design weights.
    pub weighted_value: f64,
    /// Its interval; 0 and 0 when it has none.
    pub interval: (f64, f64),
    /// It was suppressed.
    pub is_suppressed: bool,
}

/// How a wave goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Eligible households.
    pub eligible: i64,
    /// Households left out.
    pub excluded: i64,
    /// Households drawn.
    pub sampled: i64,
    /// Households skipped.
    pub skipped: i64,
    /// Invitations.
    pub invited: i64,
    /// Those that arrived.
    pub delivered: i64,
    /// Those opened.
    pub opened: i64,
    /// Those begun.
    pub started: i64,
    /// Responses of any verdict.
    pub responded: i64,
    /// Valid ones.
    pub valid: i64,
    /// Invalid ones, those over quota among them.
    pub invalid: i64,
    /// Held ones.
    pub held: i64,
    /// Responses and valid ones by mode.
    pub modes: Vec<(Mode, i64, i64)>,
    /// How full each cell is.
    pub quotas: Vec<QuotaNumbers>,
}

/// How full a cell is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaNumbers {
    /// The cell.
    pub stratum: String,
    /// Answers wanted.
    pub target: u32,
    /// Valid answers.
    pub filled: u32,
    /// Places held.
    pub reserved: u32,
}

impl Wave {
    /// What its state allows, as the API names it.
    fn allowed(&self) -> &'static [&'static str] {
        match self.state {
            WaveState::Draft => &["update", "frame", "cancel"],
            WaveState::Framed => &["launch", "cancel"],
            WaveState::Launched => &["close"],
            WaveState::Closed => &["publish_results", "archive"],
            WaveState::Archived => &["publish_results"],
            WaveState::Cancelled => &[],
        }
    }

    /// The refusal of a verb that the state does not allow.
    pub fn forbids(&self, detail: &str) -> Error {
        forbids(format!("wave {}", self.id), self.state.as_str(), self.allowed(), detail)
    }

    /// Refuses unless it stands in `state`.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn must_be(&self, state: WaveState, detail: &str) -> Result<()> {
        if self.state == state { Ok(()) } else { Err(self.forbids(detail)) }
    }

    /// Refuses unless it takes answers.
    ///
    /// # Errors
    /// WAVE_NOT_OPEN.
    pub fn must_be_open(&self) -> Result<()> {
        if self.state == WaveState::Launched {
            return Ok(());
        }
        let refusal = steward_kit::error::WrongState::new(
            "WAVE_NOT_OPEN",
            format!("wave {}", self.id),
            self.state.as_str(),
            self.allowed().iter().copied(),
            "the wave takes no answers now",
        );
        Err(refusal.into())
    }

    /// Refuses unless answers are traced as the caller supposes.
    ///
    /// # Errors
    /// WAVE_IS_ANONYMOUS, WAVE_NOT_ANONYMOUS.
    pub fn must_be_anonymous(&self, anonymous: bool) -> Result<()> {
        let (reason, verb, detail) = match (self.design.is_anonymous, anonymous) {
            (true, true) | (false, false) => return Ok(()),
            (true, false) => ("WAVE_IS_ANONYMOUS", "take_blind_token", "the wave is anonymous: take a token and answer for it"),
            (false, true) => ("WAVE_NOT_ANONYMOUS", "submit_response", "the wave is identified: no token is given"),
        };
        Err(steward_kit::error::WrongState::new(reason, format!("wave {}", self.id), self.state.as_str(), [verb], detail).into())
    }

    /// Launches it.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn launch(&self, now: Timestamp) -> Result<Self> {
        self.must_be(WaveState::Framed, "a wave is launched when it is framed")?;
        Ok(Self { state: WaveState::Launched, launch_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Closes it. With too few valid responses it needs a reason (SV-01).
    ///
    /// # Errors
    /// STATE_FORBIDS, UNDER_SAMPLE.
    pub fn close(&self, valid: i64, accepted_reason: Option<&str>, now: Timestamp) -> Result<Self> {
        self.must_be(WaveState::Launched, "a wave is closed when it was launched")?;
        let under = valid < i64::from(self.required);
        let under_sample_reason = match (under, accepted_reason) {
            (false, _) => None,
            (true, Some(reason)) => Some(reason.to_owned()),
            (true, None) => {
                let detail = format!("{valid} of {} valid responses; accept an under-sampled wave with a reason", self.required);
                let subject = format!("wave {}", self.id);
                let refusal = steward_kit::error::WrongState::new("UNDER_SAMPLE", subject, self.state.as_str(), ["close"], detail);
                return Err(refusal.into());
            }
        };
        Ok(Self { state: WaveState::Closed, close_time: Some(now), under_sample_reason, update_time: now, ..self.clone() })
    }

    /// Puts it away (SV-03).
    ///
    /// # Errors
    /// STATE_FORBIDS, IMPROVEMENT_PLAN_MISSING.
    pub fn archive(&self, plan_count: usize, now: Timestamp) -> Result<Self> {
        self.must_be(WaveState::Closed, "a wave is archived when it is closed")?;
        if self.requires_improvement_plan && plan_count == 0 {
            let detail = "the programme demands an improvement plan that rests on the wave";
            let subject = format!("wave {}", self.id);
            let allowed = ["create_improvement_plan"];
            let refusal = steward_kit::error::WrongState::new("IMPROVEMENT_PLAN_MISSING", subject, self.state.as_str(), allowed, detail);
            return Err(refusal.into());
        }
        Ok(Self { state: WaveState::Archived, update_time: now, ..self.clone() })
    }

    /// Gives it up.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn cancel(&self, now: Timestamp) -> Result<Self> {
        match self.state {
            WaveState::Draft | WaveState::Framed => Ok(Self { state: WaveState::Cancelled, update_time: now, ..self.clone() }),
            WaveState::Launched | WaveState::Closed | WaveState::Archived | WaveState::Cancelled => {
                Err(self.forbids("a wave is given up before its launch"))
            }
        }
    }
}
