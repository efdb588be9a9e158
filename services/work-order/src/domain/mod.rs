//! The rules of work orders, pure: no async, no SQL, no contract types, and `now` is an argument.
//!
//! A verb is one file: `fn assign(&WorkOrder, &Assign, &Context, now) -> Result<Transition, Refusal>`. It performs nothing;
//! the app layer writes the [`Transition`] in one statement.
//!
//! | file | one idea |
//! |---|---|
//! | `work_order` `case` `actor` `clock` | what an order is |
//! | `state` | the table of states and verbs |
//! | `policy` `terms` `intake` `origin` | documents in layers, and what of them an order is bound to |
//! | `draft` `clock_run` | how a transition is put together: milestones, clocks, events, history |
//! | `history` | the hash chain |
//! | `create` … `resume` | the verbs |
//! | `field_work` `appoint` `start_work` `quote` | work on site: agreed, begun, priced |
//! | `lineage` `merge` `split` | several orders as one matter, and one that is several |
//! | `order_job` | one verb done to many orders |
//! | `warranty` `set_liability` | whose matter a case is |
//! | `spot_check` `root_cause` | what is learnt from finished work |
//! | `pause` `weather` | what moves clocks beside the verbs |
//! | `dispatch` `dispatch_rank` `dispatch_policy` | how an order comes to somebody by itself |
//! | `roster` | who may become accountable for an order, and why not the others |
//! | `clock_due` `auto_close` `calendar_loaded` | what happens by itself |
//! | `explain` | how a due time came about |
//! | `analysis` | what many cases say together (WO-55 to WO-58) |
//! | `case_facts` `figures` | what figures are counted from, and how (M8) |
//! | `policy_check` | which policy documents are refused |

mod accept;
mod actor;
pub mod analysis;
mod answer_offer;
mod appoint;
mod arrive;
mod assess;
mod assign;
mod auto_close;
mod calendar_loaded;
mod callback_form;
mod cancel;
mod case;
mod case_facts;
mod classify;
mod clock;
mod clock_due;
mod clock_run;
mod close;
mod complete;
mod contact;
mod context;
mod create;
mod dispatch;
mod dispatch_check;
mod dispatch_policy;
mod dispatch_rank;
mod draft;
mod explain;
mod field_work;
pub mod figures;
mod grab;
mod history;
mod intake;
mod lineage;
mod major;
mod merge;
mod order_job;
mod origin;
mod outlook;
mod pause;
mod pending_timers;
mod plausible;
mod policy;
mod policy_check;
mod preview;
mod proof;
mod quote;
mod record_callback;
mod refusal;
mod reopen;
mod resume;
mod root_cause;
mod roster;
mod set_liability;
mod split;
mod spot_check;
mod start_work;
mod state;
mod suspend;
mod suspension;
mod terms;
mod timer_changes;
mod transition;
mod urge;
mod warranty;
mod weather;
mod work_order;

#[cfg(test)]
mod tests;

pub use accept::{Accept, accept};
pub use actor::{Actor, ActorKind};
pub use answer_offer::{AcceptOffer, DeclineOffer, accept_offer, decline_offer};
pub use appoint::{Appoint, appoint};
pub use arrive::{Arrive, arrive};
pub use assess::{Assess, assess};
pub use assign::{Assign, assign};
pub use auto_close::{AutoCloseDue, auto_close_due};
pub use calendar_loaded::{CalendarLoaded, calendar_loaded};
pub use callback_form::{CallbackForm, FormTerms, callback_form_due};
pub use cancel::{Cancel, cancel};
pub use case::{Case, CaseFilter, CausedBy, Channel, Kind, Liability, Milestone, SuspensionReason, TouchpointId, Urgency, is_at_or_below};
pub use case_facts::{CaseFacts, case_facts};
pub use classify::{Classify, classify};
pub use clock::{BREACH, BreachReason, Clock, ClockState, ClockStep, ClockTerms, DueBasis, Verdict};
pub use clock_due::{ClockDue, clock_due};
pub use close::{Close, close};
pub use complete::{Complete, complete};
pub use contact::{ContactCustomer, contact};
pub use context::Context;
pub use create::{Create, MANUAL, create};
pub use dispatch::{Dispatch, DispatchRun, DutyReason, Offer, dispatch_due, dispatch_run};
pub use dispatch_policy::{DispatchMode, DispatchPolicy, DispatchRule, DispatchTerms, DistanceClass, Weights};
pub use dispatch_rank::{DispatchList, Ranked, Roster, Score, rank};
pub use explain::{Estimate, Explanation, Stretch, StretchKind, estimate, explain};
pub use field_work::{Appointment, FieldWork, Quote, QuoteLine, WorkStart};
pub use grab::{Grab, grab};
pub use history::{Action, Hash, HistoryEntry, verify};
pub use intake::{Classification, normalised};
pub use lineage::{DuplicateReason, Lineage, MOST_DUPLICATES, duplicate_reasons};
pub use major::{Around, Major, MajorRule, MajorRules, judge_major, major_window_over};
pub use merge::{Lead, Merge, follow_lead, follow_to, hear_dissent, lead, merge};
pub use order_job::{ItemVerdict, JobItem, MOVED_ON, OrderJob, OrderJobId, Task, do_task};
pub use origin::{Origin, OriginField, OriginRule};
pub use outlook::{Expectation, Obstacle, Outlook, Pace, Running, outlook};
pub use pause::{ApproveSuspension, approve_suspension, pause_over};
pub use policy::{
    Attempts, CallbackPolicy, CallbackRule, Category, ClassificationRule, ClockRule, ConductRule, Coverage, EscalationStep, IntakePolicy,
    Layer, Policies, PolicySource, PolicyVersionId, PriceItem, PriceRule, ProofNeeds, ProofRule, QualityRules, ScopeLevel, SlaPolicy,
    SuspensionRule,
};
pub use policy_check::{Surroundings, check_callback, check_intake, check_sla};
pub use preview::{ClockDifference, Compared, Standing, under_calendar, under_policies};
pub use proof::{CompletionProof, MediaKind, MediaRef};
pub use quote::{ConfirmQuote, QuoteWork, confirm_quote, quote_work};
pub use record_callback::{RecordCallback, record_callback};
pub use refusal::{Place, Refusal};
pub use reopen::{Reopen, reopen};
pub use resume::{Resume, resume};
pub use root_cause::{
    ActionEffect, Answers, CorrectiveAction, CorrectiveActionId, EffectWindows, QUESTIONS, Rework, ReworkKey, RootCause, RootCauseId,
};
pub(crate) use roster::NO_LINES;
pub use roster::{Bar, Candidate, Fault, Lines, Shift, Take, Worker, bars, check_batch};
pub use set_liability::{Liable, SetLiability, set_liability};
pub use split::{Split, split};
pub use spot_check::{CheckRefusal, CheckState, ClosedOrder, SpotCheck, SpotCheckId, SpotCheckRule, Week, draw};
pub use start_work::{StartWork, start_work};
pub use state::{State, Step, Verb, allowed, step};
pub use suspend::{Suspend, suspend};
pub use suspension::{Approval, Suspension};
pub use terms::{ASSIGNEE_ROLE, CALLBACK_CLOCK, CallbackTerms, Terms};
pub use transition::{DomainEvent, Fact, OrderFacts, Source, TimerChange, TimerKey, Transition};
pub use urge::{Urge, urge};
pub use warranty::{Suggestion, WarrantyPeriod, WarrantyRule, WarrantyTerms};
pub use weather::{Weather, WeatherMode};
pub use work_order::{Assessment, Callback, CallbackMode, CallbackOutcome, CloseCode, Contact, Reached, WorkOrder};
