//! The history of an order: append-only, each entry hashed over the one before, so that a change of the past shows.
//!
//! Hashed are, in this order: the hash before (32 bytes, zeros before the first entry); the order's id (16 bytes); the
//! position (u32); action, state, kind and subject of the actor (texts); time of the event and of the record
//! (microseconds since 1970, i64); the number of details (u32), then key and value of each (texts) in order of the keys.
//! Numbers are big-endian; a text is its length in bytes (u32) and its UTF-8 bytes.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use steward_kit::codes;
use steward_kit::ids::WorkOrderId;

use super::actor::Actor;
use super::state::State;

codes! {
    /// What a line of the history records: a verb, or what a clock did.
    Action {
        /// Taken in.
        Create = "create",
        /// Classified by hand.
        Classify = "classify",
        /// Assigned.
        Assign = "assign",
        /// Taken by one of the roster.
        Grab = "grab",
        /// Offered to one of the roster, who was compared with the others.
        Offer = "offer",
        /// Whoever may and comes first takes it.
        OpenToAll = "open_to_all",
        /// An offer ran out.
        OfferLapsed = "offer_lapsed",
        /// Whoever it was offered to took it.
        AcceptOffer = "accept_offer",
        /// Whoever it was offered to did not take it.
        DeclineOffer = "decline_offer",
        /// Nobody could be found: it waits for the duty manager.
        AwaitDutyManager = "await_duty_manager",
        /// Accepted.
        Accept = "accept",
        /// Contacted, or tried.
        Contact = "contact",
        /// Assessed.
        Assess = "assess",
        /// Arrived.
        Arrive = "arrive",
        /// Completed.
        Complete = "complete",
        /// A callback attempt.
        RecordCallback = "record_callback",
        /// Reopened.
        Reopen = "reopen",
        /// Closed.
        Close = "close",
        /// Cancelled.
        Cancel = "cancel",
        /// Urged.
        Urge = "urge",
        /// Suspended.
        Suspend = "suspend",
        /// Resumed.
        Resume = "resume",
        /// A clock reached a step before its due time.
        ClockWarned = "clock_warned",
        /// A clock's due time passed.
        ClockLate = "clock_late",
        /// A late clock reached a further step.
        ClockEscalated = "clock_escalated",
        /// A verdict was corrected: the stop had happened in time and was told late, or the calendar became known.
        ClockCorrected = "clock_corrected",
        /// A due time was computed anew from a calendar that was loaded.
        ClockRecomputed = "clock_recomputed",
        /// Judged a major complaint.
        MajorFlagged = "major_flagged",
        /// No longer a major complaint.
        MajorCleared = "major_cleared",
        /// A visit was agreed or put off.
        Appoint = "appoint",
        /// The work on site began.
        StartWork = "start_work",
        /// The customer was told what it costs.
        QuoteWork = "quote_work",
        /// The customer agreed to it.
        ConfirmQuote = "confirm_quote",
        /// A second person agreed to a suspension.
        ApproveSuspension = "approve_suspension",
        /// Became a duplicate of another.
        Merge = "merge",
        /// Duplicates were merged into it.
        Lead = "lead",
        /// What became of the order that leads it was told.
        FollowLead = "follow_lead",
        /// A part was split off.
        Split = "split",
        /// It was said who is liable.
        SetLiability = "set_liability",
        /// The customer's form in the app was not answered in time.
        CallbackFormExpired = "callback_form_expired",
    }
}

/// SHA-256.
pub type Hash = [u8; 32];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Position, from 1.
    pub position: u32,
    /// What.
    pub action: Action,
    /// State after it.
    pub state: State,
    /// Who.
    pub actor: Actor,
    /// When it happened.
    pub occur_time: Timestamp,
    /// When it was recorded.
    pub record_time: Timestamp,
    /// Codes of the change, never free text.
    pub detail: BTreeMap<String, String>,
    /// Hash over the entry before and this one.
    pub hash: Hash,
}

impl HistoryEntry {
    /// The hash that this entry must have after one with hash `previous`.
    pub fn expected_hash(&self, order: WorkOrderId, previous: &Hash) -> Hash {
        let mut digest = Context::new(&SHA256);
        digest.update(previous);
        digest.update(order.as_uuid().as_bytes());
        digest.update(&self.position.to_be_bytes());
        for text in [self.action.as_str(), self.state.as_str(), self.actor.kind.as_str(), &self.actor.subject] {
            hash_text(&mut digest, text);
        }
        digest.update(&self.occur_time.as_microsecond().to_be_bytes());
        digest.update(&self.record_time.as_microsecond().to_be_bytes());
        digest.update(&length(self.detail.len()));
        for (key, value) in &self.detail {
            hash_text(&mut digest, key);
            hash_text(&mut digest, value);
        }
        let mut hash = Hash::default();
        hash.copy_from_slice(digest.finish().as_ref());
        hash
    }
}

/// Checks a stretch of an order's history that follows an entry with hash `previous` (zeros: from the beginning).
///
/// # Errors
/// The position of the first entry that was changed, left out or moved.
pub fn verify(order: WorkOrderId, previous: Hash, entries: &[HistoryEntry]) -> Result<Hash, u32> {
    let first = match entries.first() {
        Some(first) if previous == Hash::default() && first.position != 1 => return Err(first.position),
        Some(first) => first.position,
        None => return Ok(previous),
    };
    let mut hash = previous;
    for (expected, entry) in (first..).zip(entries) {
        if entry.position != expected || entry.expected_hash(order, &hash) != entry.hash {
            return Err(entry.position);
        }
        hash = entry.hash;
    }
    Ok(hash)
}

fn hash_text(digest: &mut Context, text: &str) {
    digest.update(&length(text.len()));
    digest.update(text.as_bytes());
}

/// Lengths are far below four billion: details are codes.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}
