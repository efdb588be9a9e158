//! Answers. Taking one in is two statements: [`enter`] reads everything the rules ask about, [`insert_response`] writes the
//! response with all that follows, or nothing: who was faster, a full quota and a household that counts already make it void.

mod enter;
mod read;
mod write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::crypto::FieldCipher;
use uuid::Uuid;

use super::{code, count, texts};
use crate::domain::codes::{Mode, Verdict};
use crate::domain::{Answer, EntryCheck, Finding, Response};

pub(crate) use enter::{Entrance, Invited, Question, enter};
pub(crate) use read::{ResponseKey, list_responses, list_revisions, load_response};
pub(crate) use write::{Consequences, insert_response, save_response};

/// The constraint that refuses a second response of one id.
const ID_TAKEN: &str = "response_keys_pkey";
/// Whether a constraint refuses a second response of one id: that of the ids, or, where both came in one instant and the months
/// were asked first, that of a month's rows.
pub(crate) fn is_id_taken(constraint: &str) -> bool {
    constraint == ID_TAKEN || constraint.starts_with("responses_") && constraint.ends_with("_pkey")
}

/// The constraint that refuses a paper that was entered already.
pub(crate) const SOURCE_TAKEN: &str = "response_keys_source_ref_key";
/// The constraint that lets one response of a household count.
pub(crate) const HOUSEHOLD_COUNTED: &str = "participants_pkey";

/// What a row's `body` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) answers: Vec<Answer>,
    findings: Vec<Finding>,
    enterer: Option<String>,
    source_ref: Option<String>,
    entry_check: Option<EntryCheck>,
    start_time: Option<Timestamp>,
}

impl Body {
    pub(super) fn of(response: &Response) -> Self {
        Self {
            answers: response.answers.clone(),
            findings: response.findings.clone(),
            enterer: response.enterer.clone(),
            source_ref: response.source_ref.clone(),
            entry_check: response.entry_check.clone(),
            start_time: response.start_time,
        }
    }
}

pub(super) struct Row {
    id: Uuid,
    estate_id: Uuid,
    wave_id: Uuid,
    invitation_id: Option<Uuid>,
    household_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    mode: String,
    verdict: String,
    stratum: String,
    design_weight: i64,
    revision: i32,
    body: Json<Body>,
    texts: Vec<u8>,
    device_mark: Option<Vec<u8>>,
    occur_time: jiff_sqlx::Timestamp,
    receive_time: jiff_sqlx::Timestamp,
    row_version: i64,
}

impl Row {
    pub(super) fn read(self, cipher: &FieldCipher) -> Result<Response> {
        let mut body = self.body.0;
        texts::open_answers(cipher, self.id, &self.texts, &mut body.answers)?;
        Ok(Response {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            wave_id: self.wave_id.into(),
            invitation_id: self.invitation_id.map(Into::into),
            household_id: self.household_id.map(Into::into),
            customer_id: self.customer_id.map(Into::into),
            mode: code(Mode::parse(&self.mode), "mode")?,
            answers: body.answers,
            verdict: code(Verdict::parse(&self.verdict), "verdict")?,
            findings: body.findings,
            stratum: self.stratum,
            weight: self.design_weight,
            revision: count(self.revision)?,
            enterer: body.enterer,
            source_ref: body.source_ref,
            entry_check: body.entry_check,
            start_time: body.start_time,
            occur_time: self.occur_time.to_jiff(),
            receive_time: self.receive_time.to_jiff(),
            device_mark: self.device_mark,
            row_version: self.row_version,
        })
    }
}
