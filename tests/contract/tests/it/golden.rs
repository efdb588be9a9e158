//! Compares with a committed file. `STEWARD_UPDATE_GOLDEN=1` writes it anew; the diff is then read by a person.

use std::{fs, path::PathBuf};

/// Fails unless `actual` is what the file says.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever changes the contract on purpose")]
pub(crate) fn assert_golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("STEWARD_UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let first = expected
        .lines()
        .zip(actual.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    assert!(
        expected == actual,
        "{} differs from line {} on.\n  file: {:?}\n  now:  {:?}\nIf that is meant: STEWARD_UPDATE_GOLDEN=1 cargo nextest run -p steward-contract",
        path.display(),
        first + 1,
        expected.lines().nth(first),
        actual.lines().nth(first),
    );
}
