//! A denial is written down: kit makes every one of them, and logs it where it does.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rust files below a folder.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// XC-31, XC-32
#[test]
fn nobody_denies_but_through_the_audit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["customer", "work-order", "notification", "survey", "care", "kit-store"] {
        sources(&root.join("services").join(folder).join("src"), &mut files);
    }
    sources(&root.join("gateway/src"), &mut files);
    assert!(files.len() > 300, "only {} files were read", files.len());
    let mut through_audit = 0;
    let mut around = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source reads");
        through_audit += text.matches(".deny(").count();
        for (at, line) in text.lines().enumerate() {
            // A match on one names no permission.
            let makes = line.contains("PermissionDenied {") && !line.contains("PermissionDenied { ..");
            if makes || line.contains("Status::permission_denied") || line.contains("Code::PermissionDenied,") {
                around.push(format!("{}:{}", file.display(), at + 1));
            }
        }
    }
    assert!(through_audit >= 5, "only {through_audit} denials go through the audit");
    assert_eq!(around, Vec::<String>::new(), "use Access::deny");
}
