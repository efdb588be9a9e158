//! How a wave goes, counted (SV-52).

use super::codes::Mode;

/// How a wave goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Eligible households.
    pub eligible: i64,
    /// Households left out.
    pub excluded: i64,
    /// Households drawn.
    pub sampled: i64,
    /// Households skipped.
    pub skipped: i64,
    /// Invitations.
    pub invited: i64,
    /// Those that arrived.
    pub delivered: i64,
    /// Those opened.
    pub opened: i64,
    /// Those begun.
    pub started: i64,
    /// Responses of any verdict.
    pub responded: i64,
    /// Valid ones.
    pub valid: i64,
    /// Invalid ones, those over quota among them.
    pub invalid: i64,
    /// Held ones.
    pub held: i64,
    /// Responses and valid ones by mode.
    pub modes: Vec<(Mode, i64, i64)>,
    /// How full each cell is.
    pub quotas: Vec<QuotaNumbers>,
}

/// How full a cell is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaNumbers {
    /// The cell.
    pub stratum: String,
    /// Answers wanted.
    pub target: u32,
    /// Valid answers.
    pub filled: u32,
    /// Places held.
    pub reserved: u32,
}
