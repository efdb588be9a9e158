//! Finds the test functions of the workspace and the ids in their doc comments.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{RowId, in_comment};
use crate::{Problem, Result};

/// A test function that names a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The file, from the workspace's root.
    pub file: PathBuf,
    /// The function.
    pub function: String,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.function)
    }
}

/// Every (row, test) pair in the Rust files below `root`.
pub fn proofs_below(root: &Path) -> Result<Vec<(RowId, Proof)>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut proofs = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(Problem::io(format_args!("reading {}", file.display())))?;
        let short = file.strip_prefix(root).unwrap_or(&file).to_path_buf();
        proofs.extend(tests_in(&text).into_iter().flat_map(|(function, rows)| {
            let proof = Proof { file: short.clone(), function };
            rows.into_iter().map(move |row| (row, proof.clone()))
        }));
    }
    Ok(proofs)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Problem::io(format_args!("reading {}", dir.display())))?.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "third_party" {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The test functions of a file with the rows that their doc comments name.
fn tests_in(text: &str) -> Vec<(String, Vec<RowId>)> {
    let mut found = Vec::new();
    let mut rows = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            rows.extend(in_comment(comment));
        } else if let Some(attribute) = line.strip_prefix("#[") {
            let name: String = attribute.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_')).collect();
            is_test |= name.rsplit("::").next().is_some_and(|last| last == "test" || last == "rstest");
        } else if !line.is_empty() && !line.starts_with("//") {
            if let Some(function) = function_name(line).filter(|_| is_test) {
                found.push((function, std::mem::take(&mut rows)));
            }
            rows.clear();
            is_test = false;
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let after = line.strip_prefix("fn ").or_else(|| line.split_once(" fn ").map(|(_, after)| after))?;
    Some(after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_functions_prove_rows() {
        let text = r"
            /// QQ-44
            /// and QQ-45..46, too
            #[tokio::test(flavor = `multi_thread`)]
            async fn late_is_late() { }

            /// QQ-50
            fn helper() {}

            #[test]
            /// QQ-01
            fn after_the_attribute() {}

            /// QQ-51
            #[cfg(test)]
            mod tests {}
        ";
        let found: Vec<_> = tests_in(text)
            .into_iter()
            .map(|(name, rows)| (name, rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))
            .collect();
        assert_eq!(
            found,
            [("late_is_late".to_owned(), "QQ-44 QQ-45 QQ-46".to_owned()), ("after_the_attribute".to_owned(), "QQ-01".to_owned())]
        );
    }
}
