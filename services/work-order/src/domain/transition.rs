//! What a verb decides: values only. The app layer writes them in one statement; nothing here performs anything.

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};

use super::actor::Actor;
use super::case::{CausedBy, Channel, Kind, Liability, SuspensionReason, Urgency};
use super::dispatch::DutyReason;
use super::history::HistoryEntry;
use super::roster::Take;
use super::state::State;
pub(super) use super::timer_changes::timer_changes;
pub use super::timer_changes::{TimerChange, TimerKey};
use super::work_order::{CallbackOutcome, CloseCode, WorkOrder};

/// The outcome of a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The order as it is now; `row_version` is still the one that was read.
    pub order: WorkOrder,
    /// Facts to publish, in order.
    pub events: Vec<DomainEvent>,
    /// Timers to set and to cancel.
    pub timers: Vec<TimerChange>,
    /// Lines to append to the history, in order.
    pub history: Vec<HistoryEntry>,
    /// Who of the roster became accountable: written only if they took nothing else meanwhile.
    pub take: Option<Take>,
}

impl Transition {
    /// Whether there is nothing to write: a timer that fired for a clock that has moved on.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.timers.is_empty() && self.history.is_empty()
    }
}

/// A fact to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainEvent {
    /// When it happened, which may be before it was noticed.
    pub occur_time: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// The order just after it.
    pub order: OrderFacts,
    /// What happened.
    pub fact: Fact,
}

/// What every published fact says about its order. Taken when the fact is made: a verb can make several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFacts {
    /// Id.
    pub id: WorkOrderId,
    /// Number.
    pub number: String,
    /// Estate.
    pub estate_id: EstateId,
    /// Unit.
    pub unit_id: Option<UnitId>,
    /// Customer.
    pub customer_id: Option<CustomerId>,
    /// Kind.
    pub kind: Kind,
    /// Category; empty until classified.
    pub category: String,
    /// Urgency.
    pub urgency: Urgency,
    /// State after the fact.
    pub state: State,
    /// Cycle.
    pub cycle: u32,
    /// Assignee.
    pub assignee: Option<String>,
    /// What care did that it is about.
    pub caused_by: Option<CausedBy>,
    /// When what it is now happened.
    pub case_time: Timestamp,
}

impl OrderFacts {
    /// The facts of an order as it is.
    pub fn of(order: &WorkOrder) -> Self {
        Self {
            id: order.id,
            number: order.number.clone(),
            estate_id: order.estate_id,
            unit_id: order.unit_id,
            customer_id: order.customer_id,
            kind: order.kind,
            category: order.category.clone(),
            urgency: order.urgency,
            state: order.state,
            cycle: order.cycle,
            assignee: order.assignee.clone(),
            caused_by: order.caused_by.clone(),
            case_time: order.case_time(),
        }
    }
}

/// What happened; one for each message of `events.proto` that is about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `WorkOrderCreated`
    Created {
        /// Where the report came from.
        channel: Channel,
        /// What asked for it, if no person did.
        source: Option<Source>,
    },
    /// `WorkOrderClassified`
    Classified,
    /// `WorkOrderAssigned`
    Assigned,
    /// `WorkOrderAccepted`
    Accepted,
    /// `CustomerContacted`
    Contacted {
        /// Whether the customer was reached.
        reached: bool,
        /// The promise given.
        promise_time: Option<Timestamp>,
    },
    /// `WorkOrderAssessed`
    Assessed {
        /// Whether the customer was told.
        customer_informed: bool,
    },
    /// `TechnicianArrived`
    Arrived,
    /// `WorkOrderCompleted`
    Completed {
        /// Until when the customer's form in the app is waited for.
        form_expire_time: Option<Timestamp>,
    },
    /// `CallbackFormExpired`
    CallbackFormExpired {
        /// Until when somebody has to phone.
        due_time: Timestamp,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `CallbackRecorded`
    CallbackRecorded {
        /// What came of it.
        outcome: CallbackOutcome,
        /// 1 to 5; 0 unless reached.
        score: u32,
    },
    /// `WorkOrderReopened`
    Reopened,
    /// `WorkOrderClosed`
    Closed {
        /// How.
        close_code: CloseCode,
    },
    /// `WorkOrderCancelled`
    Cancelled {
        /// Why.
        close_code: CloseCode,
        /// Number of the order that it was merged into; empty when it was not.
        lead_number: String,
    },
    /// `WorkOrderUrged`
    Urged {
        /// How often by now.
        urge_count: u32,
    },
    /// `WorkOrderSuspended`
    Suspended {
        /// Why.
        reason: SuspensionReason,
        /// It still waits for a second person.
        awaits_approval: bool,
    },
    /// `LiabilitySet`
    LiabilitySet {
        /// Whose matter it is.
        liability: Liability,
    },
    /// `WorkOrderResumed`
    Resumed,
    /// `ClockWarned`: a step before the due time.
    ClockWarned {
        /// The clock.
        clock: String,
        /// Per cent of the limit.
        percent: u32,
        /// When the clock is due.
        due_time: Timestamp,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `ClockBreached`: the due time passed.
    ClockBreached {
        /// The clock.
        clock: String,
        /// When it was due.
        due_time: Timestamp,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `WorkOrderEscalated`: a step after the due time, or urging.
    Escalated {
        /// The clock; empty when the customer urged.
        clock: String,
        /// Per cent of the limit; 0 when the customer urged.
        percent: u32,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `MajorComplaintFlagged`
    MajorFlagged {
        /// Codes of the rules that held.
        reasons: Vec<String>,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `MajorComplaintCleared`
    MajorCleared,
    /// `AppointmentAgreed`
    AppointmentAgreed {
        /// From when the customer expects somebody.
        start: Timestamp,
        /// Until when.
        end: Timestamp,
        /// Start of the one whose place it takes.
        old_start: Option<Timestamp>,
        /// Agreed before that start.
        told_in_time: bool,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `WorkStarted`
    WorkStarted,
    /// `QuoteGiven`
    QuoteGiven {
        /// The sum, in fen.
        total_fen: i64,
    },
    /// `QuoteConfirmed`
    QuoteConfirmed {
        /// The sum, in fen.
        total_fen: i64,
    },
    /// `WorkOrderOffered`
    Offered {
        /// Staff subject.
        to: String,
        /// Until just before when.
        until: Timestamp,
    },
    /// `DutyManagerCalled`
    DutyManagerCalled {
        /// Why nobody was found.
        reason: DutyReason,
        /// Roles to tell.
        notify_roles: Vec<String>,
    },
    /// `SuspensionApproved`
    SuspensionApproved {
        /// Why the work stands still.
        reason: SuspensionReason,
    },
    /// `DuplicateSettled`
    DuplicateSettled {
        /// The order that leads.
        lead: WorkOrderId,
        /// Its number.
        lead_number: String,
    },
    /// `WorkOrderSplit`
    Split {
        /// The part.
        part: WorkOrderId,
        /// Its number.
        part_number: String,
    },
}

/// What asked for an order when no person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is: `survey_response`, `visit`, `touchpoint`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
}
