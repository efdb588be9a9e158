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

use super::codes::WaveState;
use super::design::Design;
use super::ids::{FrameJobId, ProgrammeId, QuestionnaireVersionId, WaveId};
use super::page::ResultPage;
use super::refusal::forbids;

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
    /// It has no frame: households are asked one by one (SV-27 to SV-30).
    #[serde(default)]
    pub is_standing: bool,
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

    /// Launches it; without a day of its own it takes answers until `open_until`.
    ///
    /// # Errors
    /// STATE_FORBIDS; TIME_NOT_PLAUSIBLE when its time is over already.
    pub fn launch(&self, open_until: Option<Timestamp>, now: Timestamp) -> Result<Self> {
        self.must_be(WaveState::Framed, "a wave is launched when it is framed")?;
        let close_due_time = self.design.close_due_time.or(open_until);
        if close_due_time.is_some_and(|due| due <= now) {
            return Err(Error::invalid("design.close_due_time", "TIME_NOT_PLAUSIBLE", "must lie in the future when the wave is launched"));
        }
        let design = Design { close_due_time, ..self.design.clone() };
        Ok(Self { state: WaveState::Launched, design, launch_time: Some(now), update_time: now, ..self.clone() })
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

    /// Its time is over: it is closed with what came in, flagged where that is too little (SV-01). `None` when it takes no answers
    /// any more.
    pub fn close_by_due_time(&self, valid: i64, now: Timestamp) -> Option<Self> {
        self.close(valid, Some("the time to answer was over"), now).ok()
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
