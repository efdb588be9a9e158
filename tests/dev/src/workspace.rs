//! Where things are: the workspace's root, its target folder, the places of the development stack and of the tests' servers.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Problem, Result};

/// An environment variable, if set and not empty.
///
/// The launcher reads its environment here and nowhere else.
#[expect(clippy::disallowed_methods, reason = "the launcher's one place that reads the environment; it has no config struct")]
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this is a CI run: nobody to ask, and a check that cannot be made counts as failed.
pub fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value != "false" && value != "0")
}

/// The workspace this process belongs to.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace from the working directory upwards, or from the crate that cargo runs.
    pub fn find() -> Result<Self> {
        let from_cargo = variable("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let from_here = env::current_dir().ok();
        let root = [from_here, from_cargo].into_iter().flatten().find_map(|start| root_above(&start));
        let root = root.ok_or_else(|| {
            Problem::new("no steward workspace here or in a folder above").remedy("run the command inside the cloned repository")
        })?;
        let target = variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// The folder that holds the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A binary of the debug build.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// A binary of the release build, as it is shipped.
    pub fn release_binary(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Everything the development stack keeps: data, logs, keys, clock. `STEWARD_DEV_DIR` moves it, so that a check never touches the
    /// stack somebody works with.
    pub fn dev(&self) -> PathBuf {
        variable("STEWARD_DEV_DIR").map_or_else(|| self.target.join("dev"), |dir| self.root.join(dir))
    }

    /// The servers shared by all test processes.
    pub fn test_servers(&self) -> PathBuf {
        self.target.join("test-servers")
    }

    /// Tools fetched for checks.
    pub fn tools(&self) -> PathBuf {
        self.target.join("dev-tools")
    }

    /// Roles, schemas and grants: the same file that production uses.
    pub fn bootstrap_sql(&self) -> PathBuf {
        self.root.join("k8s/bootstrap/bootstrap.sql")
    }
}

fn root_above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|dir| dir.join("Cargo.toml").is_file() && dir.join("proto").is_dir() && dir.join("services").is_dir())
        .map(Path::to_path_buf)
}
