//! The aggregate: one case from report to close. Data; the verbs are one file each.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::codes;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::pii::Pii;

use super::actor::Actor;
use super::callback_form::CallbackForm;
use super::case::{Case, CausedBy, Channel, Kind, Milestone, Urgency};
use super::clock::{Clock, ClockTerms};
use super::dispatch::Dispatch;
use super::field_work::FieldWork;
use super::lineage::Lineage;
use super::major::Major;
use super::origin::Origin;
use super::proof::{CompletionProof, MediaRef};
use super::set_liability::Liable;
use super::state::{State, Verb, allowed};
use super::suspension::Suspension;
use super::terms::Terms;

codes! {
    /// How an order ended (WO-41).
    CloseCode {
        /// Resolved.
        Resolved = "resolved",
        /// Not resolvable; explained to the customer.
        UnresolvedExplained = "unresolved_explained",
        /// Not the provider's matter.
        OutOfScope = "out_of_scope",
        /// Withdrawn by the customer.
        Withdrawn = "withdrawn",
        /// The same matter as another order.
        Duplicate = "duplicate",
        /// Not a real case.
        Invalid = "invalid",
        /// Handed to another organisation.
        Transferred = "transferred",
        /// Closed after silence (WO-78).
        AutoClosed = "auto_closed",
    }
}

codes! {
    /// What came of a callback (WO-30).
    CallbackOutcome {
        /// Answered.
        Reached = "reached",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// Did not wish to answer.
        Refused = "refused",
        /// The number is wrong.
        WrongNumber = "wrong_number",
    }
}

codes! {
    /// How a callback was made (WO-29).
    CallbackMode {
        /// By phone.
        Phone = "phone",
        /// By a form in the app.
        App = "app",
        /// In person.
        Visit = "visit",
    }
}

/// A milestone that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Which.
    pub milestone: Milestone,
    /// In which cycle.
    pub cycle: u32,
    /// When it happened.
    pub at: Timestamp,
}

/// One contact with the customer, or an attempt at one (WO-17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Cycle of the order.
    pub cycle: u32,
    /// Whether the customer was reached.
    pub reached: bool,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Until when something was promised.
    pub promise_time: Option<Timestamp>,
    /// What was said. Sealed apart, never part of a serialised form.
    #[serde(skip)]
    pub note: Pii<String>,
}

/// What was found and what will be done (WO-20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Cycle of the order.
    pub cycle: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Whether the customer was told.
    pub customer_informed: bool,
    /// Plan of action. Sealed apart, never part of a serialised form.
    #[serde(skip)]
    pub plan: Pii<String>,
}

/// One attempt to call the customer back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Cycle of the order.
    pub cycle: u32,
    /// What came of it.
    pub outcome: CallbackOutcome,
    /// 1 to 5; 0 unless reached.
    pub score: u32,
    /// What could be improved. Sealed apart, never part of a serialised form.
    #[serde(skip)]
    pub improvement: Pii<String>,
    /// When.
    pub at: Timestamp,
    /// Who called.
    pub actor: Actor,
    /// How.
    pub mode: CallbackMode,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkOrder {
    /// Id.
    pub id: WorkOrderId,
    /// Number that people say on the phone.
    pub number: String,
    /// Estate.
    pub estate_id: EstateId,
    /// Unit; `None` for common parts.
    pub unit_id: Option<UnitId>,
    /// Customer; `None` for anonymous and device reports.
    pub customer_id: Option<CustomerId>,
    /// Kind.
    pub kind: Kind,
    /// Category code; empty until classified.
    pub category: String,
    /// Urgency.
    pub urgency: Urgency,
    /// Code of the rule that classified it, or `manual`; empty until classified.
    pub classified_by: String,
    /// Where the report came from.
    pub channel: Channel,
    /// What was reported.
    pub description: Pii<String>,
    /// Where exactly.
    pub location: Pii<String>,
    /// Files of the report.
    pub media: Vec<MediaRef>,
    /// Staff subject accountable now.
    pub assignee: Option<String>,
    /// Staff subjects who worked on the present cycle.
    pub workers: Vec<String>,
    /// Staff subject who took the report first (WO-10).
    pub first_receiver: Option<String>,
    /// When it happened; KPIs go by this (XC-63).
    pub occur_time: Timestamp,
    /// When it was received.
    pub receive_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
    /// 1 at first, one more at each reopening.
    pub cycle: u32,
    /// How often the customer urged.
    pub urge_count: u32,
    /// Whether urging has escalated in the present cycle (WO-75).
    pub urge_escalated: bool,
    /// What was promised in the present cycle.
    pub promise_time: Option<Timestamp>,
    /// When it became another kind of case, the last time; clocks and figures of the new kind count from then (WO-07).
    pub convert_time: Option<Timestamp>,
    /// What care did that it is about (WO-67).
    pub caused_by: Option<CausedBy>,
    /// Staff subjects whom it complains about (WO-79).
    pub accused: Vec<String>,
    /// Where the proof of the report lies.
    pub origin: Option<Origin>,
    /// When it ended without work.
    pub cancel_time: Option<Timestamp>,
    /// When it closes by itself; only while completed (WO-78).
    pub auto_close_time: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// Every stop of the work, oldest first; only the last can be open.
    pub suspensions: Vec<Suspension>,
    /// How it ended.
    pub close_code: Option<CloseCode>,
    /// Contacts of every cycle, oldest first as recorded.
    pub contacts: Vec<Contact>,
    /// Assessments of every cycle, oldest first as recorded.
    pub assessments: Vec<Assessment>,
    /// Callbacks of every cycle, oldest first as recorded.
    pub callbacks: Vec<Callback>,
    /// The form in the app that the customer was last offered (WO-29).
    pub callback_form: Option<CallbackForm>,
    /// Proofs of every cycle, oldest first.
    pub proofs: Vec<CompletionProof>,
    /// Milestones of every cycle, in the order recorded.
    pub milestones: Vec<Reached>,
    /// Clocks of every cycle, in the order started.
    pub clocks: Vec<Clock>,
    /// What the policies of its birth say about it.
    pub terms: Terms,
    /// Whether it is a major complaint.
    pub major: Major,
    /// What is known of its work on site.
    pub field: FieldWork,
    /// How it belongs together with others.
    pub lineage: Lineage,
    /// Whose matter it is, as it was said (WO-50).
    pub liable: Option<Liable>,
    /// When its unit was handed over, as known when the order was read. Never written with it.
    pub delivery_date: Option<Date>,
    /// How far it has come in its look for somebody.
    pub dispatch: Dispatch,
    /// Entries in its history.
    pub history_position: u32,
    /// Hash of the last entry; zeros before the first.
    pub history_hash: [u8; 32],
    /// Version of the row as read. A verb leaves it alone: the store writes the next one.
    pub row_version: i64,
}

impl WorkOrder {
    /// What rules are matched against.
    pub fn case(&self) -> Case<'_> {
        let liability = self.liable.as_ref().map(|liable| liable.liability);
        Case { kind: self.kind, category: &self.category, urgency: self.urgency, liability }
    }

    /// Verbs that the present state allows, in a fixed order: `allowed_actions` of the API.
    pub fn allowed_actions(&self) -> Vec<Verb> {
        allowed(self.state, self.is_suspended())
    }

    /// When what it is now happened: the matter itself, or its conversion to another kind (XC-63, WO-07).
    pub fn case_time(&self) -> Timestamp {
        self.convert_time.map_or(self.occur_time, |converted| converted.max(self.occur_time))
    }

    /// Until when an authority that handed the case on wants its answer (WO-68).
    pub fn external_due(&self) -> Option<Timestamp> {
        self.origin.as_ref().and_then(Origin::external_due)
    }

    /// The same for a run of those terms: heeded in the first cycle only, for what follows the answer is between us and the customer.
    pub(super) fn external_due_of(&self, terms: &ClockTerms, cycle: u32) -> Option<Timestamp> {
        self.external_due().filter(|_| terms.heeds_external_due && cycle == 1)
    }

    /// The present suspension.
    pub fn suspension(&self) -> Option<&Suspension> {
        self.suspensions.last().filter(|suspension| suspension.to.is_none())
    }

    /// Whether the work stands still.
    pub fn is_suspended(&self) -> bool {
        self.suspension().is_some()
    }

    /// Proof of completion of the present cycle.
    pub fn proof(&self) -> Option<&CompletionProof> {
        self.proofs.last().filter(|proof| proof.cycle == self.cycle)
    }

    /// Clocks still waiting for their stop.
    pub fn open_clocks(&self) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(|clock| clock.is_open())
    }

    /// The run of a clock that counts: the latest of the cycle; cycle 0 means the latest cycle that has it.
    pub fn clock(&self, name: &str, cycle: u32) -> Option<&Clock> {
        self.clocks
            .iter()
            .filter(|clock| clock.name == name && (cycle == 0 || clock.cycle == cycle))
            .max_by_key(|clock| (clock.cycle, clock.generation))
    }

    /// When a milestone last happened in the present cycle.
    pub fn milestone_time(&self, milestone: Milestone) -> Option<Timestamp> {
        let of_cycle = self.milestones.iter().filter(|reached| reached.cycle == self.cycle);
        of_cycle.filter(|reached| reached.milestone == milestone).map(|reached| reached.at).max()
    }

    /// When the present cycle began: the receipt, or the last reopening.
    pub fn cycle_start(&self) -> Timestamp {
        let received = self.milestones.iter().filter(|reached| reached.milestone == Milestone::Received);
        received.filter(|reached| reached.cycle == self.cycle).map(|reached| reached.at).max().unwrap_or(self.receive_time)
    }
}
