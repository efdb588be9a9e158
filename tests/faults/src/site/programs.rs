//! The programs of a run: those that were built when it began, whatever is built meanwhile. It starts them again and again.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use steward_harness::stack::{Files, SERVICES};

/// Where they are.
pub(super) fn dir(files: &Files) -> PathBuf {
    files.home().join("programs")
}

/// Copies what is built.
pub(super) fn copy(files: &Files) -> Result<()> {
    std::fs::create_dir_all(dir(files)).context("making a folder for the programs")?;
    // Those beside us were built with us, for release or not.
    let us = std::env::current_exe().context("looking for the programs")?;
    for service in &SERVICES {
        let built = us.with_file_name(service.program());
        ensure!(built.is_file(), "{} is not built: `cargo dev faults` builds it", built.display());
        std::fs::copy(&built, dir(files).join(service.program())).with_context(|| format!("copying {}", built.display()))?;
    }
    Ok(())
}
