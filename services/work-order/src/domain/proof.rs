//! Proof of the work (WO-48): files by reference and hash, and what was done.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::codes;
use steward_kit::pii::Pii;

use super::actor::Actor;

codes! {
    /// What a file shows.
    MediaKind {
        /// Before the work.
        Before = "before",
        /// After the work.
        After = "after",
        /// The customer's signature.
        Signature = "signature",
        /// A recording of a call.
        Recording = "recording",
        /// Part of the report.
        Report = "report",
    }
}

/// A file in the object store, by reference and hash only (XC-52).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    /// Key in the object store.
    pub key: String,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
    /// What it shows; `None` when not said.
    pub kind: Option<MediaKind>,
}

/// Proof that the work was done (WO-48), one per cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionProof {
    /// Cycle of the order.
    pub cycle: u32,
    /// What was done. Sealed apart, never part of a serialised form.
    #[serde(skip)]
    pub summary: Pii<String>,
    /// Photos, parts and signature.
    pub media: Vec<MediaRef>,
    /// When the work ended.
    pub complete_time: Timestamp,
    /// Who did it.
    pub actor: Actor,
}
