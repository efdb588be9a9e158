//! Questionnaires: drafts, and versions that are found by their content (SV-47).

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codes::Actor;
use super::ids::{QuestionnaireId, QuestionnaireVersionId};

/// An instrument and its draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questionnaire {
    /// Its id.
    pub id: QuestionnaireId,
    /// Its code.
    pub code: String,
    /// The draft, as the contract encodes it.
    pub draft: Vec<u8>,
    /// Versions published so far.
    pub version_count: u32,
    /// The last of them.
    pub latest_version_id: Option<QuestionnaireVersionId>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// Its version as a row.
    pub row_version: i64,
}

/// A frozen instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionnaireVersion {
    /// Its id.
    pub id: QuestionnaireVersionId,
    /// The questionnaire.
    pub questionnaire_id: QuestionnaireId,
    /// Its code.
    pub code: String,
    /// Counts from 1.
    pub version: u32,
    /// The content, as the contract encodes it.
    pub content: Vec<u8>,
    /// Its address.
    pub sha256: [u8; 32],
    /// What may be compared with earlier versions.
    pub comparisons: Vec<Comparison>,
    /// Who published it.
    pub publisher: Actor,
    /// When.
    pub publish_time: Timestamp,
}

/// A question that may be compared with one of an earlier version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Question of the version.
    pub question: String,
    /// The earlier version.
    pub earlier_version_id: QuestionnaireVersionId,
    /// Its question.
    pub earlier_question: String,
}

/// The address of a content: the same content has the same address.
pub fn content_address(content: &[u8]) -> [u8; 32] {
    let mut address = [0; 32];
    address.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
    address
}
