//! What is wrong in a row.

use serde::{Deserialize, Serialize};

/// Why a row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemReason {
    /// A required cell is empty.
    ValueMissing,
    /// The cell is longer than the field allows.
    ValueTooLong,
    /// Not a number, or out of bounds.
    NumberInvalid,
    /// Not a date.
    DateInvalid,
    /// Not one of the allowed words.
    WordUnknown,
    /// Not a phone number.
    PhoneInvalid,
    /// Not an e-mail address.
    EmailInvalid,
    /// Not an identity number.
    IdNumberInvalid,
    /// The last day is before the first.
    DatesReversed,
    /// Says the same as an earlier row.
    DuplicateRow,
    /// Says something else than an earlier row.
    ContradictsRow,
    /// The unit has another sole owner.
    OwnerExists,
    /// Cells and header do not match, a quote is open, or it is not UTF-8.
    RowMalformed,
}

/// One thing that is wrong. Never holds the cell's text: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line in the file.
    pub line: u32,
    /// Name of the column as in the header; empty when the whole row is meant.
    pub column: String,
    /// Position of the column from 1; 0 when the whole row is meant.
    pub column_number: u32,
    /// Why.
    pub reason: ProblemReason,
    /// Why, in words, with what would be allowed.
    pub description: String,
}

impl Problem {
    /// A problem of the whole row.
    pub fn of_row(line: u32, reason: ProblemReason, description: impl Into<String>) -> Self {
        Self { line, column: String::new(), column_number: 0, reason, description: description.into() }
    }
}
