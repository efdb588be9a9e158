//! Why a verb is refused: the domain's half of `error_reason.proto`.

use steward_kit::Error;
use steward_kit::calendar::CalendarError;
use steward_kit::error::WrongState;
use steward_kit::ids::WorkOrderId;

use super::lineage::MOST_DUPLICATES;
use super::origin::OriginField;
use super::roster::Bar;
use super::state::{State, Verb, allowed};
use super::work_order::{CloseCode, WorkOrder};

/// A refusal. It names the field or the state, and what would be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The state does not allow the verb.
    StateForbids {
        /// The verb.
        verb: Verb,
        /// Where the order stands.
        place: Place,
    },
    /// Only the assignee may do this.
    NotTheAssignee {
        /// Where the order stands.
        place: Place,
    },
    /// The caller did the work and may not call back on it (C-16).
    CallbackByWorker {
        /// Where the order stands.
        place: Place,
    },
    /// Somebody may not have or take the order, or call back on it (WO-79).
    Barred {
        /// Why.
        bar: Bar,
        /// Where the order stands.
        place: Place,
    },
    /// The order is offered to nobody, or to somebody else (WO-23).
    NotOffered {
        /// Where the order stands.
        place: Place,
    },
    /// The offer ran out before it was answered, or was answered already.
    OfferLapsed {
        /// Where the order stands.
        place: Place,
    },
    /// The time for reopening is over.
    ReopenWindowOver {
        /// Where the order stands.
        place: Place,
    },
    /// The policy requires a promise with a contact (WO-14).
    PromiseRequired,
    /// The proof lacks something (WO-48).
    ProofIncomplete {
        /// The field.
        field: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// A reached callback needs a score from 1 to 5 (WO-28).
    ScoreRequired,
    /// The category is not in the estate's tree.
    CategoryUnknown,
    /// An event time in the future, before what it follows, or too far back (XC-64).
    TimeNotPlausible {
        /// The field.
        field: &'static str,
        /// What would be plausible.
        detail: &'static str,
    },
    /// A span names a working-hours calendar that is not loaded.
    CalendarUnknown {
        /// The field.
        field: &'static str,
        /// The calendar.
        name: String,
    },
    /// Another appointment holds (WO-46).
    ApologyCallRequired,
    /// An appointment that cannot be kept.
    AppointmentInvalid {
        /// The field.
        field: &'static str,
        /// What is wrong.
        detail: &'static str,
    },
    /// Points of the checklist are not confirmed (WO-47).
    ChecklistIncomplete {
        /// Those points.
        missing: Vec<String>,
    },
    /// The customer has not agreed to what the work costs (WO-49).
    QuoteUnconfirmed {
        /// Where the order stands.
        place: Place,
    },
    /// Nobody said that the work on site began.
    WorkNotStarted {
        /// Where the order stands.
        place: Place,
    },
    /// The order's price list has no such item.
    PriceItemUnknown {
        /// Which item of the request.
        index: usize,
    },
    /// Staff confirm for a customer with proof only.
    ConfirmationUnproven,
    /// No suspension waits for approval (WO-43).
    NothingToApprove {
        /// Where the order stands.
        place: Place,
    },
    /// Whoever asked does not approve.
    ApproverAsked {
        /// Where the order stands.
        place: Place,
    },
    /// It was merged into another before (WO-39).
    AlreadyMerged {
        /// That one.
        lead: WorkOrderId,
        /// Where the order stands.
        place: Place,
    },
    /// It would lead more than one order can.
    TooManyDuplicates {
        /// Where the order stands.
        place: Place,
    },
    /// The origin is one of another channel.
    OriginUnsuited,
    /// The estate requires more about where a report came from.
    OriginIncomplete {
        /// What.
        missing: Vec<OriginField>,
    },
    /// The close code does not go with the verb.
    CloseCodeUnsuited {
        /// Those that do.
        suited: &'static [CloseCode],
    },
}

/// Where the refusing order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The order.
    pub id: WorkOrderId,
    /// Its state.
    pub state: State,
    /// Whether its work is suspended.
    pub suspended: bool,
}

impl Place {
    /// Where an order stands.
    pub fn of(order: &WorkOrder) -> Self {
        Self { id: order.id, state: order.state, suspended: order.is_suspended() }
    }
}

impl Refusal {
    /// The reason as `ErrorReason` names it, without the prefix.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::StateForbids { .. } => "STATE_FORBIDS",
            Self::NotTheAssignee { .. } => "NOT_THE_ASSIGNEE",
            Self::CallbackByWorker { .. } => "CALLBACK_BY_WORKER",
            Self::Barred { bar, .. } => bar.reason(),
            Self::NotOffered { .. } => "NOT_OFFERED",
            Self::OfferLapsed { .. } => "OFFER_LAPSED",
            Self::ReopenWindowOver { .. } => "REOPEN_WINDOW_OVER",
            Self::PromiseRequired => "PROMISE_REQUIRED",
            Self::ProofIncomplete { .. } => "PROOF_INCOMPLETE",
            Self::ScoreRequired => "SCORE_REQUIRED",
            Self::CategoryUnknown => "CATEGORY_UNKNOWN",
            Self::TimeNotPlausible { .. } => "TIME_NOT_PLAUSIBLE",
            Self::CalendarUnknown { .. } => "CALENDAR_UNKNOWN",
            Self::CloseCodeUnsuited { .. } => "CLOSE_CODE_UNSUITED",
            Self::OriginUnsuited => "ORIGIN_UNSUITED",
            Self::OriginIncomplete { .. } => "ORIGIN_INCOMPLETE",
            Self::ApologyCallRequired => "APOLOGY_CALL_REQUIRED",
            Self::AppointmentInvalid { .. } => "APPOINTMENT_INVALID",
            Self::ChecklistIncomplete { .. } => "CHECKLIST_INCOMPLETE",
            Self::QuoteUnconfirmed { .. } => "QUOTE_UNCONFIRMED",
            Self::WorkNotStarted { .. } => "WORK_NOT_STARTED",
            Self::PriceItemUnknown { .. } => "PRICE_ITEM_UNKNOWN",
            Self::ConfirmationUnproven => "CONFIRMATION_UNPROVEN",
            Self::NothingToApprove { .. } => "NOTHING_TO_APPROVE",
            Self::ApproverAsked { .. } => "APPROVER_ASKED",
            Self::AlreadyMerged { .. } => "ALREADY_MERGED",
            Self::TooManyDuplicates { .. } => "TOO_MANY_DUPLICATES",
        }
    }

    /// A deadline that cannot be computed, by the field that asked for it.
    pub fn of_calendar(field: &'static str, error: CalendarError) -> Self {
        match error {
            CalendarError::UnknownHours { name } => Self::CalendarUnknown { field, name },
            CalendarError::OutOfRange | CalendarError::PauseBackwards { .. } => {
                Self::TimeNotPlausible { field, detail: "the deadline lies outside the range of time" }
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.reason();
        let by_state = |place: Place, detail: String| {
            let state = if place.suspended { format!("{} (suspended)", place.state) } else { place.state.to_string() };
            let allowed = allowed(place.state, place.suspended).into_iter().map(Verb::as_str);
            Self::from(WrongState::new(reason, format!("work order {}", place.id), state, allowed, detail))
        };
        match refusal {
            Refusal::StateForbids { verb, place } => {
                let still = if place.suspended { " and suspended" } else { "" };
                let detail = format!("an order that is {}{still} does not allow {verb}", place.state);
                by_state(place, detail)
            }
            Refusal::NotTheAssignee { place } => by_state(place, "only the assignee may do this".to_owned()),
            Refusal::CallbackByWorker { place } => by_state(place, "who did the work may not call back on it".to_owned()),
            Refusal::Barred { bar, place } => by_state(place, bar.sentence().to_owned()),
            Refusal::NotOffered { place } => by_state(place, "the order is offered to nobody, or to somebody else".to_owned()),
            Refusal::OfferLapsed { place } => by_state(place, "the offer ran out, or was answered already".to_owned()),
            Refusal::ReopenWindowOver { place } => by_state(place, "the time for reopening is over".to_owned()),
            Refusal::PromiseRequired => Self::invalid("promise", reason, "the estate's policy requires a promise with a contact"),
            Refusal::ProofIncomplete { field, missing } => Self::invalid(field, reason, missing),
            Refusal::ScoreRequired => Self::invalid("score", reason, "a callback that reached the customer needs a score from 1 to 5"),
            Refusal::CategoryUnknown => Self::invalid("category", reason, "must be a code of the estate's category tree"),
            Refusal::TimeNotPlausible { field, detail } => Self::invalid(field, reason, detail),
            Refusal::CalendarUnknown { field, name } => Self::invalid(field, reason, format!("calendar `{name}` is not loaded")),
            Refusal::ApologyCallRequired => {
                Self::invalid("apology_call", reason, "another appointment holds: the customer is called and apologised to first")
            }
            Refusal::AppointmentInvalid { field, detail } => Self::invalid(field, reason, detail),
            Refusal::OriginUnsuited => Self::invalid("origin", reason, "must be the origin that goes with the channel"),
            Refusal::OriginIncomplete { missing } => {
                let missing: Vec<&str> = missing.iter().map(|field| field.as_str()).collect();
                Self::invalid("origin", reason, format!("the estate's policy asks for {}", missing.join(", ")))
            }
            Refusal::ChecklistIncomplete { missing } => {
                Self::invalid("checked", reason, format!("the estate's policy asks for {} before the work begins", missing.join(", ")))
            }
            Refusal::QuoteUnconfirmed { place } => {
                by_state(place, "the work costs money, and the customer has not agreed to what was quoted last".to_owned())
            }
            Refusal::WorkNotStarted { place } => by_state(place, "the work on site has not begun".to_owned()),
            Refusal::PriceItemUnknown { index } => {
                Self::invalid(format!("items[{index}].item_code"), reason, "must be a code of the price list that applies to the order")
            }
            Refusal::ConfirmationUnproven => {
                Self::invalid("media", reason, "staff confirm with the customer's signature or the recording of the call")
            }
            Refusal::NothingToApprove { place } => by_state(place, "no suspension waits for approval".to_owned()),
            Refusal::ApproverAsked { place } => by_state(place, "who asked for the suspension does not approve it".to_owned()),
            Refusal::AlreadyMerged { lead, place } => by_state(place, format!("it was merged into {lead}; that is the order to go by")),
            Refusal::TooManyDuplicates { place } => {
                by_state(place, format!("one order leads {MOST_DUPLICATES} duplicates at most; an incident is for more"))
            }
            Refusal::CloseCodeUnsuited { suited } => {
                let codes: Vec<&str> = suited.iter().map(|code| code.as_str()).collect();
                Self::invalid("close_code", reason, format!("must be one of {}", codes.join(", ")))
            }
        }
    }
}
