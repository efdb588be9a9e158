//! The making of a frame: read who is eligible, draw, ask the contact ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::EstateId;

use super::codes::{JobState, JobStep};
use super::ids::{FrameJobId, WaveId};
use super::refusal::forbids;

/// A frame job and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameJob {
    /// Its id.
    pub id: FrameJobId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its wave.
    pub wave_id: WaveId,
    /// Where it stands.
    pub state: JobState,
    /// What it is doing.
    pub step: JobStep,
    /// Where reading goes on.
    pub page_token: String,
    /// The day the frame is of.
    pub as_of_date: String,
    /// Households read.
    pub read: i64,
    /// Eligible ones.
    pub eligible: i64,
    /// Excluded ones.
    pub excluded: i64,
    /// Households drawn.
    pub drawn: i64,
    /// Households skipped.
    pub skipped: i64,
    /// Up to which place of the draw the ledger was asked.
    pub checked: i32,
    /// How many are still wanted of each group.
    pub wanted: BTreeMap<String, u32>,
    /// Why it failed: code and words.
    pub failure: Option<(String, String)>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

impl FrameJob {
    /// A job that begins.
    pub fn new(estate_id: EstateId, wave_id: WaveId, now: Timestamp) -> Self {
        Self {
            id: FrameJobId::new(),
            estate_id,
            wave_id,
            state: JobState::Running,
            step: JobStep::Reading,
            page_token: String::new(),
            as_of_date: String::new(),
            read: 0,
            eligible: 0,
            excluded: 0,
            drawn: 0,
            skipped: 0,
            checked: 0,
            wanted: BTreeMap::new(),
            failure: None,
            create_time: now,
            end_time: None,
            update_time: now,
            row_version: 1,
        }
    }

    /// Whether it will change no more.
    pub fn has_ended(&self) -> bool {
        match self.state {
            JobState::Running | JobState::Paused => false,
            JobState::Done | JobState::Failed | JobState::Cancelled => true,
        }
    }

    /// Whether everybody who is wanted was found.
    pub fn is_filled(&self) -> bool {
        self.wanted.values().all(|wanted| *wanted == 0)
    }

    /// Lets it stand still.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn pause(&self, now: Timestamp) -> Result<Self> {
        self.turn(&[JobState::Running], JobState::Paused, now)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn resume(&self, now: Timestamp) -> Result<Self> {
        self.turn(&[JobState::Paused], JobState::Running, now)
    }

    /// Gives it up.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn cancel(&self, now: Timestamp) -> Result<Self> {
        let cancelled = self.turn(&[JobState::Running, JobState::Paused], JobState::Cancelled, now)?;
        Ok(Self { end_time: Some(now), ..cancelled })
    }

    /// It cannot be done.
    pub fn fail(&self, code: &str, detail: &str, now: Timestamp) -> Self {
        let failure = Some((code.to_owned(), detail.to_owned()));
        Self { state: JobState::Failed, failure, end_time: Some(now), update_time: now, ..self.clone() }
    }

    fn turn(&self, from: &[JobState], to: JobState, now: Timestamp) -> Result<Self> {
        if from.contains(&self.state) {
            return Ok(Self { state: to, update_time: now, ..self.clone() });
        }
        let allowed: &[&str] = match self.state {
            JobState::Running => &["pause", "cancel"],
            JobState::Paused => &["resume", "cancel"],
            JobState::Done | JobState::Failed | JobState::Cancelled => &[],
        };
        Err(forbids(format!("frame job {}", self.id), self.state.as_str(), allowed, "the job's state does not allow this"))
    }
}
