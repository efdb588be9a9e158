//! The edge: decode, ask the app, encode. Nothing here decides.

mod design;
mod encode;
mod feedback;
mod figures;
mod improvements;
mod metrics;
mod mystery;
mod programmes;
mod questionnaires;
mod reports;
mod request;
mod responses;
mod results;
mod sessions;
mod watch;
mod waves;

pub(crate) use feedback::Feedback;
pub(crate) use improvements::Improvements;
pub(crate) use metrics::Metrics;
pub(crate) use mystery::MysteryVisits;
pub(crate) use programmes::Programmes;
pub(crate) use questionnaires::Questionnaires;
pub(crate) use reports::Reports;
pub(crate) use responses::Responses;
pub(crate) use results::Results;
pub(crate) use sessions::Sessions;
pub(crate) use waves::Waves;

/// What an RPC answers.
type Answer<T> = Result<tonic::Response<T>, tonic::Status>;
