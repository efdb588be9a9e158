//! An estate's register as a CSV file: from bytes to rows that say one thing each, or why they do not (CP-53).
//!
//! Pure and repeatable: the same bytes give the same rows, so that planning and applying can each read them anew.

mod cells;
mod columns;
mod contradictions;
mod problem;
mod records;
mod row;

use jiff::civil::Date;

pub use columns::{Column, Header};
pub use problem::{Problem, ProblemReason};
pub use row::{CustomerFacts, RegisterRow, UnitFacts};

/// Most data rows of a file.
pub const MAX_ROWS: usize = 100_000;
/// Longest cell in characters; the fields have their own, shorter bounds.
pub const MAX_CELL_CHARACTERS: usize = 500;

/// A file that was read.
#[derive(Debug)]
pub struct RegisterFile {
    /// Header names that are not known and were ignored.
    pub ignored_columns: Vec<String>,
    /// The data rows, in the order of the file.
    pub rows: Vec<FileRow>,
}

/// One data row, and what became of reading it.
#[derive(Debug, Clone)]
pub struct FileRow {
    /// Its first line in the file; the header is line 1.
    pub line: u32,
    /// Full code of the unit; empty when it cannot be told.
    pub unit_full_code: String,
    /// What it says, or everything that is wrong with it.
    pub outcome: Result<RegisterRow, Vec<Problem>>,
}

/// Why a file as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFailure {
    /// Stable code, such as `HEADER_MISSING_COLUMN`.
    pub code: &'static str,
    /// In words; nothing of the file but names of columns.
    pub detail: String,
}

impl FileFailure {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl RegisterFile {
    /// Reads a file. `today` is the estate's local day on which the import was created: a tenure without a first day
    /// begins with the handover of the unit, or else on that day.
    ///
    /// # Errors
    /// No readable header, a required column is missing, or too many rows.
    pub fn read(bytes: &[u8], today: Date) -> Result<Self, FileFailure> {
        let mut records = records::Records::new(bytes);
        let header = match records.next() {
            Some(records::Record { cells: Ok(cells), .. }) => Header::read(&cells)?,
            Some(_) => return Err(FileFailure::new("HEADER_UNREADABLE", "the header line is not UTF-8, or a quote is not closed")),
            None => return Err(FileFailure::new("FILE_EMPTY", "the file has no header line")),
        };
        let mut rows = Vec::new();
        for record in records {
            if record.is_blank() {
                continue;
            }
            if rows.len() == MAX_ROWS {
                return Err(FileFailure::new("TOO_MANY_ROWS", format!("a file holds at most {MAX_ROWS} rows; split it")));
            }
            rows.push(row::read(&header, &record, today));
        }
        contradictions::refuse(&header, &mut rows);
        Ok(Self { ignored_columns: header.ignored().to_vec(), rows })
    }
}

#[cfg(test)]
mod tests;
