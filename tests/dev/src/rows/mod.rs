//! Which requirement rows have a test: ids in the doc comments of test functions, held against a list of ids.

mod ids;
mod tests_of;

pub use ids::{RowId, in_comment, wanted};
pub use tests_of::{Proof, proofs_below};

use std::collections::BTreeMap;

/// The rows of one service prefix and what proves them.
#[derive(Debug, Default)]
pub struct Coverage {
    /// Rows with the tests that name them.
    pub proven: BTreeMap<RowId, Vec<Proof>>,
    /// Rows that no test names.
    pub missing: Vec<RowId>,
}

/// Holds the wanted rows against the tests found, per prefix (`WO`, `NT`, …).
pub fn coverage(wanted: Vec<RowId>, proofs: &[(RowId, Proof)]) -> BTreeMap<String, Coverage> {
    let mut by_prefix: BTreeMap<String, Coverage> = BTreeMap::new();
    for row in wanted {
        let entry = by_prefix.entry(row.prefix().to_owned()).or_default();
        let found: Vec<_> = proofs.iter().filter(|(id, _)| *id == row).map(|(_, proof)| proof.clone()).collect();
        if found.is_empty() {
            entry.missing.push(row);
        } else {
            entry.proven.insert(row, found);
        }
    }
    by_prefix
}
