//! The macros' answers: one JSON file per query, compared and copied by content.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{Problem, Result};

/// Names of the files that are missing from, left over in or different in `committed`.
pub(in crate::commands) fn differences(committed: &Path, fresh: &Path) -> Result<Vec<String>> {
    let (old, new) = (read(committed)?, read(fresh)?);
    let mut names: Vec<_> = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Makes `committed` hold exactly what `fresh` holds.
pub(super) fn replace(committed: &Path, fresh: &Path) -> Result<()> {
    let (old, new) = (read(committed)?, read(fresh)?);
    fs::create_dir_all(committed).map_err(Problem::io("making .sqlx"))?;
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        fs::remove_file(committed.join(name)).map_err(Problem::io(format_args!("removing {name}")))?;
    }
    for (name, text) in new.iter().filter(|(name, text)| old.get(*name) != Some(text)) {
        fs::write(committed.join(name), text).map_err(Problem::io(format_args!("writing {name}")))?;
    }
    Ok(())
}

/// Makes every source file with a checked query newer than its last build, so that cargo expands it again.
pub(super) fn touch_queries(folder: &Path, clock: &Path) -> Result<()> {
    let stamp = clock.join(".stamp");
    fs::write(&stamp, "").map_err(Problem::io("writing a time stamp"))?;
    let now = fs::metadata(&stamp).and_then(|meta| meta.modified()).map_err(Problem::io("reading a time stamp"))?;
    fs::remove_file(&stamp).map_err(Problem::io("removing a time stamp"))?;
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if has_checked_query(&path) {
            let file = fs::File::options().write(true).open(&path).map_err(Problem::io(format_args!("opening {}", path.display())))?;
            file.set_modified(now).map_err(Problem::io(format_args!("touching {}", path.display())))?;
        }
    }
    Ok(())
}

fn has_checked_query(path: &PathBuf) -> bool {
    const MACROS: [&str; 4] = ["query!(", "query_as!(", "query_scalar!(", "query_file"];
    path.extension().is_some_and(|extension| extension == "rs")
        && fs::read_to_string(path).is_ok_and(|text| MACROS.iter().any(|name| text.contains(name)))
}

fn read(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("query-") {
            files.insert(name, fs::read_to_string(entry.path()).map_err(Problem::io(format_args!("reading {}", entry.path().display())))?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_folder_is_named_and_replaced() {
        let home = std::env::temp_dir().join(format!("steward-answers-{}", std::process::id()));
        let (old, new) = (home.join("old"), home.join("new"));
        for dir in [&old, &new] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(old.join("query-left.json"), "1").unwrap();
        fs::write(old.join("query-same.json"), "2").unwrap();
        fs::write(new.join("query-same.json"), "2").unwrap();
        fs::write(new.join("query-fresh.json"), "3").unwrap();
        assert_eq!(differences(&old, &new).unwrap(), ["query-fresh.json", "query-left.json"]);
        replace(&old, &new).unwrap();
        assert!(differences(&old, &new).unwrap().is_empty());
    }
}
