//! Where a Postgres cluster may live, and as whom its programs run.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use super::{Durability, is_root};
use crate::{Problem, Result};

/// The user that Postgres runs as when we are root, who it refuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunAs {
    uid: u32,
    gid: u32,
}

impl RunAs {
    /// Nobody else if we are an ordinary user; `postgres` (made by its package) if we are root.
    pub(super) fn choose() -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(Problem::io("reading /etc/passwd"))?;
        let find = |name: &str| {
            users.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next()? == name).then_some(())?;
                Some(Self { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
            })
        };
        let user = find("postgres").or_else(|| find("nobody"));
        user.map(Some).ok_or_else(|| {
            Problem::new("Postgres refuses root, and there is no user `postgres` to run it as").remedy("adduser --system --group postgres")
        })
    }

    /// A command that runs `program` as this user.
    pub(super) fn command(this: Option<Self>, program: &Path) -> Command {
        let Some(user) = this else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid)]).args(["--clear-groups", "--"]).arg(program);
        command
    }

    /// Hands a folder to this user.
    pub(super) fn own(this: Option<Self>, dir: &Path) -> Result<()> {
        match this {
            Some(user) => {
                chown(dir, Some(user.uid), Some(user.gid)).map_err(Problem::io(format_args!("handing {} to postgres", dir.display())))
            }
            None => Ok(()),
        }
    }
}

/// A file system in memory, where Linux has one.
const MEMORY: &str = "/dev/shm";

/// What must be free there before a cluster of tests is put into it, in KiB: its data, its log of writes, and room to spare.
const MEMORY_NEEDED_KIB: u64 = 6 << 20;

/// The folder for a cluster wanted at `dir`: that one, or one under `/var/tmp` if the other user cannot reach it (a clone in root's
/// home). One whose data is worth nothing lives in memory if there is plenty: a database for each test is some hundred files made and
/// removed, which cost a disk's file system more than the test itself.
pub(super) fn reachable(dir: &Path, run_as: Option<RunAs>, durability: Durability) -> Result<PathBuf> {
    let elsewhere = |parent: &str| {
        let mut hasher = DefaultHasher::new();
        dir.hash(&mut hasher);
        PathBuf::from(format!("{parent}/steward-{:016x}", hasher.finish()))
    };
    let in_memory = elsewhere(MEMORY);
    let chosen = if durability == Durability::Disposable && (in_memory.is_dir() || has_plenty(MEMORY)) {
        in_memory
    } else if run_as.is_none() || dir.ancestors().skip(1).all(is_open_to_others) {
        dir.to_path_buf()
    } else {
        elsewhere("/var/tmp")
    };
    fs::create_dir_all(&chosen).map_err(Problem::io(format_args!("making {}", chosen.display())))?;
    fs::set_permissions(&chosen, fs::Permissions::from_mode(0o755)).map_err(Problem::io(format_args!("opening {}", chosen.display())))?;
    RunAs::own(run_as, &chosen)?;
    Ok(chosen)
}

/// Whether a file system has what a cluster of tests needs. One that is not there has nothing.
fn has_plenty(dir: &str) -> bool {
    let said = Command::new("df").args(["-kP", dir]).output();
    let said = said.ok().filter(|output| output.status.success()).map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let free = said.and_then(|said| said.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok());
    free.is_some_and(|free| free >= MEMORY_NEEDED_KIB)
}

/// Whether other users may pass through this folder; one that is still to be made will be like that.
fn is_open_to_others(dir: &Path) -> bool {
    fs::metadata(dir).map_or(true, |meta| meta.permissions().mode() & 0o001 != 0)
}
