//! From the domain to the contract's messages.

mod instruments;
mod plans;
mod responses;
mod voice;
mod waves;

use jiff::Timestamp;
use steward_kit::proto::to_timestamp;

use crate::domain::WEIGHT_ONE;

pub(super) use instruments::{programme, questionnaire, version};
pub(super) use plans::{mystery_visit, plan, report};
pub(super) use responses::{invitation, response, revision};
pub(super) use voice::{feedback, session};
pub(super) use waves::{frame_job, member, numbers, wave, wave_view};

pub(super) fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn time(at: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    at.map(to_timestamp)
}

/// A weight for a reader.
#[allow(clippy::cast_precision_loss, reason = "millionths of a weight are far below 2^52")]
pub(super) fn weight(millionths: i64) -> f64 {
    millionths as f64 / WEIGHT_ONE as f64
}
