//! Figures (mechanism M8): the formulas of `domain/metrics.md`, exact, as pure functions of counts or rows.
//!
//! A service counts facts, a formula makes a [`Figure`] of the counts, and the plan's [`Definition`] makes a judged
//! `MetricValue` of the figure. Nothing here asks a clock or a database; no number of a plan is here.
//!
//! | file | formulas |
//! |---|---|
//! | `satisfaction`, `answers` | F-01 rate, F-02 score, F-02b index, with design weights |
//! | `recommendation` | F-03 NPS, F-04 loyalty |
//! | `complaints` | F-05a, F-05c |
//! | `timeliness` | F-06, F-16 |
//! | `resolution` | F-07, F-07b, F-07c |
//! | `callbacks` | F-08, F-08b |
//! | `care` | F-09, F-10, F-11 |
//! | `sample` | F-12, the sample-size planner |
//! | `churn` | F-13a, F-13b, F-14 |
//! | `cost` | F-15 |
//! | `repeat` | F-17, F-18 |
//! | `improvement` | F-19 to F-22 |
//! | `standing` | the edge-case matrix |
//! | `ratio`, `unit`, `interval`, `period`, `target`, `figure` | what all of them are made of |
//! | `as_of`, `tally` | counts that add up over estates, and until when they are true |
//! | `entry`, `catalogue`, `definition`, `wire` | which metrics there are, how a plan defines one, and both as messages |
//! | `asked` | what a request to a service asks for |
//!
//! `services/kit/docs/metrics.md` explains the figures to operators and app teams.

mod answers;
mod as_of;
mod asked;
mod callbacks;
mod care;
mod catalogue;
mod churn;
mod complaints;
mod cost;
mod definition;
mod entry;
mod figure;
mod improvement;
mod interval;
mod period;
mod ratio;
mod recommendation;
mod repeat;
mod resolution;
mod sample;
mod satisfaction;
mod standing;
mod tally;
mod target;
mod timeliness;
mod unit;
pub mod wire;

#[cfg(test)]
mod tests;

pub use answers::{Answers, LevelCount, WEIGHT_ONE};
pub use as_of::{AsOf, Passed, Seen};
pub use asked::{Asked, AskedRows, Explained};
pub use callbacks::{CallbackCounts, CallbackResult, CoverageMethod, callback_coverage, relationship_callback_coverage};
pub use care::{BeforeAfter, CareCounts, Share, care_coverage, csat_lift, reach_lift, reach_rate, return_on_investment};
pub use catalogue::{has_metric, metric, metrics};
pub use churn::{DeliveryCounts, Lost, customer_churn, delivery_rate, estate_churn};
pub use complaints::{ComplaintCounts, campaign_complaint_rate, complaint_count, complaint_rate, complaints_per_thousand};
pub use cost::{Costs, Volumes, net_benefit, yearly_benefit, yearly_cost};
pub use definition::{DayWindow, Definition, Parameters, check_policy, definitions_of, household_base};
pub use entry::{Basis, Metric, Owner, Parameter, Source};
pub use figure::{Figure, Part};
pub use improvement::{
    VisitCounts, VisitProof, collation_rate, improvement_effect, relative_effect, suggestion_adoption, visit_conformity,
};
pub use interval::{Interval, around, effective_size, variance_of_share, wilson};
pub use period::{Period, PeriodKind};
pub use ratio::Ratio;
pub use recommendation::{LoyaltyCounts, LoyaltyMethod, loyalty_rate, nps};
pub use repeat::{FirstContact, FirstContactCounts, RepeatCounts, first_contact, first_contact_resolution, reopen_rate, repeat_rate};
pub use resolution::{
    CaseAtCutOff, Close, Opinion, Resolution, ResolutionCounts, handled_rate, mean_handling_time, mean_with_ranks, resolution_rate,
};
pub use sample::{SamplePlan, invitations, margin_reached};
pub use satisfaction::{DimensionMean, SatisfiedLevels, Scale, ScoreMap, csat_index, csat_rate, csat_score};
pub use standing::{Entry, Standing};
pub use tally::{AddsUp, RULES, ShareCounts, Tally};
pub use target::{Direction, Target, Verdict, judge};
pub use timeliness::{Deadline, Timeliness, TimelyCounts, timely_rate, worst};
pub use unit::{Unit, half_up};
