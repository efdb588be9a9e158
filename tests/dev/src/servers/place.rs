//! Where a Postgres cluster may live, and as whom its programs run.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use super::is_root;
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

/// The folder for a cluster wanted at `dir`: that one, or one under `/var/tmp` if the other user cannot reach it (a clone in root's home).
pub(super) fn reachable(dir: &Path, run_as: Option<RunAs>) -> Result<PathBuf> {
    let chosen = if run_as.is_none() || dir.ancestors().skip(1).all(is_open_to_others) {
        dir.to_path_buf()
    } else {
        let mut hasher = DefaultHasher::new();
        dir.hash(&mut hasher);
        PathBuf::from(format!("/var/tmp/steward-{:016x}", hasher.finish()))
    };
    fs::create_dir_all(&chosen).map_err(Problem::io(format_args!("making {}", chosen.display())))?;
    fs::set_permissions(&chosen, fs::Permissions::from_mode(0o755)).map_err(Problem::io(format_args!("opening {}", chosen.display())))?;
    RunAs::own(run_as, &chosen)?;
    Ok(chosen)
}

/// Whether other users may pass through this folder; one that is still to be made will be like that.
fn is_open_to_others(dir: &Path) -> bool {
    fs::metadata(dir).map_or(true, |meta| meta.permissions().mode() & 0o001 != 0)
}
