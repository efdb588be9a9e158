//! Finds the server programs, on the PATH or where Debian and Ubuntu hide them.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Problem, Result, workspace::variable};

/// The oldest Postgres that the migrations are written for.
const OLDEST_POSTGRES: u32 = 15;

/// Whether we run as root. Postgres refuses to, so its programs are then run as another user.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The programs that the private servers need.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The folder with `postgres`, `initdb`, `pg_ctl` and `psql`.
    pub postgres: PathBuf,
    /// `redis-server` (or `valkey-server`).
    pub redis: PathBuf,
}

impl Binaries {
    /// Finds both, or says what is missing and the command that brings it.
    pub fn find() -> Result<Self> {
        let missing = |what: &str| Problem::new(format!("{what} not found on this machine")).remedy(install_command());
        Ok(Self {
            postgres: find_postgres().ok_or_else(|| missing(&format!("the programs of Postgres {OLDEST_POSTGRES} or newer were")))?,
            redis: find_redis().ok_or_else(|| missing("redis-server was"))?,
        })
    }
}

/// What a person types to have both servers.
fn install_command() -> &'static str {
    "sudo apt-get update && sudo apt-get install -y postgresql redis-server   (Debian 12, Ubuntu 23.04 or newer), then the same command again"
}

/// The newest Postgres programs of this machine that are new enough.
pub fn find_postgres() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    candidates.extend(path_folders());
    candidates
        .into_iter()
        .filter(|dir| ["postgres", "initdb", "pg_ctl", "psql"].iter().all(|name| dir.join(name).is_file()))
        .filter_map(|dir| Some((major_version(&dir.join("postgres"))?, dir)))
        .filter(|(version, _)| *version >= OLDEST_POSTGRES)
        .max_by_key(|(version, _)| *version)
        .map(|(_, dir)| dir)
}

/// The Redis server program, or Valkey's, which speaks the same protocol.
pub fn find_redis() -> Option<PathBuf> {
    ["redis-server", "valkey-server"].iter().find_map(|name| on_path(name))
}

/// A program of this name on the PATH or in the usual folders.
pub fn on_path(name: &str) -> Option<PathBuf> {
    path_folders().into_iter().map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn path_folders() -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let usual = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` -> 15
fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().find_map(|word| word.split('.').next()?.parse().ok())
}
