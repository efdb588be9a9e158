//! The rules of surveys. Pure: no async, no SQL, no proto, and the time is an argument.

mod answer;
mod check;
pub mod codes;
mod design;
mod feedback;
pub mod figures;
mod frame_job;
pub mod ids;
mod improvement;
mod instrument;
mod invitation;
mod mystery;
mod numbers;
mod page;
mod path;
mod programme;
mod questionnaire;
mod refusal;
mod report;
mod response;
mod results;
mod sampling;
mod session;
mod suppression;
mod terms;
mod validity;
mod wave;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Value, answer_to};
pub use check::{Fault, faults};
pub use design::{Design, Encoded, Exclusion, Subject};
pub use feedback::{Decision, FeedbackItem, NewFeedback};
pub use frame_job::FrameJob;
pub use improvement::{Effect, EffectTarget, ImprovementPlan, Measure, PlanSource};
pub use instrument::{AnswerTest, Branch, Dimension, END, Instrument, Question, QuestionKind};
pub use invitation::Invitation;
pub use mystery::{Appeal, Checked, MysteryTerms, MysteryVisit, Scored};
pub use numbers::{Numbers, QuotaNumbers};
pub use page::{PageFigure, ResultPage};
pub use path::{AnswerFault, Walk, walk};
pub use programme::Programme;
pub use questionnaire::{Comparison, Questionnaire, QuestionnaireVersion, content_address};
pub use refusal::{forbids, stale};
pub use report::{OverdueMeasure, Report, draft_instant};
pub use response::{EntryCheck, Response, Revision, compare_entries, is_drawn_for_second_entry};
pub use results::{AnswerCount, Difference, DimensionResult, Fraction, QuestionResult, Rules, Shown, WaveFigures, figures_of, publishable};
pub use sampling::{Draw, Oversampling, Quota, Sampling, SamplingFault, WEIGHT_ONE};
pub use session::{Participant, Session, Theme};
pub use suppression::hidden_cells;
pub use terms::{ReportTerm, Route, Terms};
pub use validity::{Circumstances, Finding, ValidityRules, judge, low_score};
pub use wave::Wave;
