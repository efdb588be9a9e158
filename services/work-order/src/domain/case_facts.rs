//! What figures are counted from: one line per cycle of an order, plan-neutral. Derived from the order whenever it is
//! written, in the same statement, so that a figure never lags behind the order or contradicts it.

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use steward_kit::metric::{Opinion, Standing};

use super::case::{Channel, Kind, Milestone};
use super::clock::{Clock, ClockState};
use super::terms::CALLBACK_CLOCK;
use super::work_order::{Callback, CallbackOutcome, CloseCode, WorkOrder};

/// Name of the clock whose due time says when a result was owed (F-07).
const RESULT_CLOCK: &str = "result_feedback";

/// From this score on the customer accepts the result: neutral counts as no objection (F-07). The scale is fixed, 1 to 5.
const ACCEPTING_SCORE: u32 = 3;

/// One cycle of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFacts {
    /// Cycle, from 1.
    pub cycle: u32,
    /// It is the order's last one.
    pub is_last: bool,
    /// Kind of the order.
    pub kind: Kind,
    /// Category; empty until classified.
    pub category: String,
    /// Where the report came from.
    pub channel: Channel,
    /// How the order stands to figures (the edge-case matrix).
    #[serde(serialize_with = "standing_code")]
    pub standing: Standing,
    /// When the matter happened, or was converted to what it is now; figures of receipt go by it (XC-63, WO-07).
    pub occur_time: Timestamp,
    /// When it was taken in; later than the period it happened in makes a late entry.
    pub receive_time: Timestamp,
    /// When the cycle began.
    pub start_time: Timestamp,
    /// When the order ended without work; withdrawn, invalid, handed over.
    pub end_time: Option<Timestamp>,
    /// First human answer of the cycle (WO-21).
    pub respond_time: Option<Timestamp>,
    /// First arrival of the cycle.
    pub arrive_time: Option<Timestamp>,
    /// First assessment of the cycle that the customer was told.
    pub assess_time: Option<Timestamp>,
    /// Last completion of the cycle; of one that ended without work and was scored all the same, its end.
    pub complete_time: Option<Timestamp>,
    /// When the cycle was closed.
    pub close_time: Option<Timestamp>,
    /// How it was closed; of a cycle that was reopened the row keeps what it had.
    pub close_code: Option<CloseCode>,
    /// What the customer said of the result of the cycle.
    #[serde(serialize_with = "opinion_code")]
    pub opinion: Opinion,
    /// When they said it.
    pub opinion_time: Option<Timestamp>,
    /// When the result of the cycle was owed.
    pub result_due_time: Option<Timestamp>,
    /// When the callback of the cycle was owed.
    pub callback_due_time: Option<Timestamp>,
    /// That due time rests on a year that is not announced.
    pub callback_provisional: bool,
    /// When the callback first reached the customer; who would not answer was reached.
    pub reach_time: Option<Timestamp>,
    /// When its attempts were properly exhausted.
    pub exhaust_time: Option<Timestamp>,
    /// The score of the cycle, 1 to 5: the last one given.
    pub score: Option<u32>,
    /// When it was given.
    pub score_time: Option<Timestamp>,
    /// It is the score of the case: no later cycle has one.
    pub is_case_score: bool,
    /// Seconds for which the work stood still, from the receipt to the end of the cycle.
    pub suspended_seconds: i64,
}

/// How an order stands to figures.
fn standing(order: &WorkOrder) -> Standing {
    match order.close_code {
        Some(CloseCode::Withdrawn) => Standing::Withdrawn,
        Some(CloseCode::Duplicate) => Standing::Duplicate,
        Some(CloseCode::Invalid) => Standing::Invalid,
        Some(CloseCode::OutOfScope) => Standing::OutOfScope,
        Some(CloseCode::Transferred) => Standing::Transferred,
        Some(CloseCode::Resolved | CloseCode::UnresolvedExplained | CloseCode::AutoClosed) | None => match order.channel {
            // A device reports for nobody; once a customer stands behind it, it is a case like any other.
            Channel::Device if order.customer_id.is_none() => Standing::Internal,
            Channel::Device
            | Channel::Hotline
            | Channel::App
            | Channel::Wechat
            | Channel::Web
            | Channel::FrontDesk
            | Channel::SuggestionBox
            | Channel::Visit
            | Channel::Government => Standing::Valid,
        },
    }
}

/// The facts of every cycle, oldest first.
pub fn case_facts(order: &WorkOrder) -> Vec<CaseFacts> {
    let last_scored = order.callbacks.iter().filter(|callback| callback.score > 0).map(|callback| callback.cycle).max();
    (1..=order.cycle).map(|cycle| of_cycle(order, cycle, last_scored)).collect()
}

fn of_cycle(order: &WorkOrder, cycle: u32, last_scored: Option<u32>) -> CaseFacts {
    let reached = |milestone| {
        let of_cycle = order.milestones.iter().filter(move |reached| reached.cycle == cycle);
        of_cycle.filter(move |reached| reached.milestone == milestone).map(|reached| reached.at)
    };
    // A case that was converted is one of its new kind from then on: what was done before was done for another case.
    let since = |told: Timestamp| order.convert_time.map_or(told, |converted| converted.max(told));
    let after_conversion = |milestone| reached(milestone).filter(|at| order.convert_time.is_none_or(|converted| *at >= converted)).min();
    let is_last = cycle == order.cycle;
    let start_time = reached(Milestone::Received).min().unwrap_or(order.receive_time);
    let close_time = reached(Milestone::Closed).max();
    let is_ended = is_last && order.close_code.is_some() && close_time.is_none();
    let end_time = is_ended.then(|| order.cancel_time.unwrap_or(order.update_time));
    let callbacks = || order.callbacks.iter().filter(|callback| callback.cycle == cycle);
    let answered = |callback: &&Callback| match callback.outcome {
        CallbackOutcome::Reached | CallbackOutcome::Refused => true,
        CallbackOutcome::NoAnswer | CallbackOutcome::WrongNumber => false,
    };
    let reach_time = callbacks().filter(answered).map(|callback| callback.at).min();
    let exhaust_time = reached(Milestone::CalledBack).min().filter(|at| reach_time.is_none_or(|reached| *at < reached));
    let scored = callbacks().filter(|callback| callback.score > 0).max_by_key(|callback| callback.at);
    // What ended without work is done with when it ended; it counts there if somebody was asked about it.
    let complete_time = reached(Milestone::Completed).max().or(end_time.filter(|_| scored.is_some()));
    let (opinion, opinion_time) = match scored {
        Some(callback) if callback.score >= ACCEPTING_SCORE => (Opinion::Accepts, Some(callback.at)),
        Some(callback) => (Opinion::Objects, Some(callback.at)),
        None => (Opinion::Silent, None),
    };
    let callback_clock = last_run(order, CALLBACK_CLOCK, cycle);
    CaseFacts {
        cycle,
        is_last,
        kind: order.kind,
        category: order.category.clone(),
        channel: order.channel,
        standing: standing(order),
        occur_time: since(order.occur_time),
        receive_time: since(order.receive_time),
        start_time: since(start_time),
        end_time,
        respond_time: after_conversion(Milestone::Responded),
        arrive_time: after_conversion(Milestone::Arrived),
        assess_time: after_conversion(Milestone::Assessed),
        complete_time,
        close_time,
        close_code: order.close_code.filter(|_| is_last && close_time.is_some()),
        opinion,
        opinion_time,
        result_due_time: last_run(order, RESULT_CLOCK, cycle).and_then(|clock| clock.due_time),
        callback_due_time: callback_clock.and_then(|clock| clock.due_time),
        callback_provisional: callback_clock.is_some_and(Clock::is_provisional),
        reach_time,
        exhaust_time,
        score: scored.map(|callback| callback.score),
        score_time: scored.map(|callback| callback.at),
        is_case_score: last_scored == Some(cycle),
        suspended_seconds: suspended(order, since(order.receive_time), close_time.or(end_time)),
    }
}

/// The run of a clock that counts in a cycle; one that was voided before anything came of it does not.
fn last_run<'a>(order: &'a WorkOrder, name: &str, cycle: u32) -> Option<&'a Clock> {
    order
        .clocks
        .iter()
        .filter(|clock| clock.name == name && clock.cycle == cycle && (clock.state != ClockState::Void || clock.verdict.is_some()))
        .max_by_key(|clock| clock.generation)
}

/// Seconds that the work stood still between two instants.
fn suspended(order: &WorkOrder, from: Timestamp, to: Option<Timestamp>) -> i64 {
    let overlap = |suspension: &super::suspension::Suspension| {
        let (start, end) = (
            suspension.from.max(from),
            match (suspension.to, to) {
                (Some(end), Some(limit)) => end.min(limit),
                (Some(end), None) | (None, Some(end)) => end,
                (None, None) => return SignedDuration::ZERO,
            },
        );
        if end > start { end.duration_since(start) } else { SignedDuration::ZERO }
    };
    order
        .suspensions
        .iter()
        .filter(|suspension| suspension.counts())
        .map(overlap)
        .fold(SignedDuration::ZERO, SignedDuration::saturating_add)
        .as_secs()
}

fn standing_code<S: Serializer>(standing: &Standing, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(standing.as_str())
}

fn opinion_code<S: Serializer>(opinion: &Opinion, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(opinion.as_str())
}
