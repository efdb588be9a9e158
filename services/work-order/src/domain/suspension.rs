//! Stops of the work (WO-43): why, how long at the longest, and who has to agree.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::case::SuspensionReason;

/// A stop in an order's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Why.
    pub reason: SuspensionReason,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` while it lasts.
    pub to: Option<Timestamp>,
    /// Until when at the longest; `None` when the policy sets no end.
    #[serde(default)]
    pub max_to: Option<Timestamp>,
    /// Whether a second person has to agree, and has.
    #[serde(default)]
    pub approval: Approval,
}

/// A second person's word on a suspension (WO-43).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// None is needed.
    #[default]
    NotNeeded,
    /// It is waited for; no clock stands still.
    Awaited,
    /// It was given.
    Given,
}

impl Suspension {
    /// Whether clocks stand still for it.
    pub const fn counts(&self) -> bool {
        match self.approval {
            Approval::NotNeeded | Approval::Given => true,
            Approval::Awaited => false,
        }
    }
}
