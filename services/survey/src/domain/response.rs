//! Responses, their amendments and second entries.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};

use super::answer::{Answer, answer_to};
use super::codes::{Mode, Verdict};
use super::ids::{InvitationId, ResponseId, WaveId};
use super::refusal::forbids;
use super::validity::Finding;

/// One respondent's answers to one wave.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Made by the client.
    pub id: ResponseId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its wave.
    pub wave_id: WaveId,
    /// The invitation; never of an anonymous wave.
    pub invitation_id: Option<InvitationId>,
    /// The household; never of an anonymous wave.
    pub household_id: Option<HouseholdId>,
    /// The customer; never of an anonymous wave.
    pub customer_id: Option<CustomerId>,
    /// How it was given.
    pub mode: Mode,
    /// What was answered.
    pub answers: Vec<Answer>,
    /// Whether it counts.
    pub verdict: Verdict,
    /// Why.
    pub findings: Vec<Finding>,
    /// Its stratum.
    pub stratum: String,
    /// Its weight, in millionths.
    pub weight: i64,
    /// Counts from 1.
    pub revision: u32,
    /// Who entered it; `None` when the respondent did.
    pub enterer: Option<String>,
    /// Number of the paper or visit.
    pub source_ref: Option<String>,
    /// The second entry.
    pub entry_check: Option<EntryCheck>,
    /// When it was begun.
    pub start_time: Option<Timestamp>,
    /// When it was answered.
    pub occur_time: Timestamp,
    /// When it was received.
    pub receive_time: Timestamp,
    /// Keyed hash of the device.
    pub device_mark: Option<Vec<u8>>,
    /// Its version as a row.
    pub row_version: i64,
}

/// How a second entry compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryCheck {
    /// Who entered it again.
    pub enterer: String,
    /// Questions in which the two differ.
    pub differing: Vec<String>,
    /// When.
    pub check_time: Timestamp,
}

/// What a response said before.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number.
    pub revision: u32,
    /// What was answered.
    pub answers: Vec<Answer>,
    /// The verdict then.
    pub verdict: Verdict,
    /// Who gave it.
    pub author: String,
    /// When it was recorded.
    pub record_time: Timestamp,
}

impl Response {
    /// Decides about a response that is held, or whose entries differ.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn review(&self, accept: bool, reason: &str) -> Result<Self> {
        let verdict = if accept { Verdict::Valid } else { Verdict::Invalid };
        match self.verdict {
            Verdict::Held => {
                let mut reviewed = Self { verdict, ..self.clone() };
                reviewed.findings.push(Finding { rule: "reviewed".to_owned(), detail: reason.to_owned() });
                Ok(reviewed)
            }
            Verdict::Valid | Verdict::Invalid | Verdict::OverQuota | Verdict::PendingEntry => {
                Err(self.forbids(&[], "only a response that is held is decided about"))
            }
        }
    }

    /// Compares a second entry (SV-48). Entries that differ are held until somebody decides.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn enter_again(&self, enterer: &str, answers: &[Answer], now: Timestamp) -> Result<Self> {
        if self.verdict != Verdict::PendingEntry {
            return Err(self.forbids(&[], "no second entry is awaited"));
        }
        let differing = compare_entries(&self.answers, answers);
        let mut checked = self.clone();
        checked.verdict = if differing.is_empty() { Verdict::Valid } else { Verdict::Held };
        if !differing.is_empty() {
            let detail = format!("the entries differ in {}", differing.join(", "));
            checked.findings.push(Finding { rule: "entry_mismatch".to_owned(), detail });
        }
        checked.entry_check = Some(EntryCheck { enterer: enterer.to_owned(), differing, check_time: now });
        Ok(checked)
    }

    fn forbids(&self, allowed: &[&str], detail: &str) -> steward_kit::Error {
        forbids(format!("response {}", self.id), self.verdict.as_str(), allowed, detail)
    }
}

/// Questions in which two entries of one paper differ, in the order of their codes.
pub fn compare_entries(first: &[Answer], second: &[Answer]) -> Vec<String> {
    let codes: BTreeSet<&str> = first.iter().chain(second).map(|answer| answer.question.as_str()).collect();
    codes.into_iter().filter(|code| answer_to(first, code) != answer_to(second, code)).map(str::to_owned).collect()
}

/// Whether a paper is drawn for a second entry: by its number, so that nobody chooses and anybody can check.
pub fn is_drawn_for_second_entry(wave: WaveId, source_ref: &str, share: Option<(u32, u32)>) -> bool {
    let Some((numerator, denominator)) = share.filter(|(_, denominator)| *denominator > 0) else { return false };
    let hash = digest::digest(&digest::SHA256, format!("{wave}/{source_ref}").as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    u64::from_be_bytes(first) % u64::from(denominator) < u64::from(numerator)
}
