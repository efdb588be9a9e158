//! A small disk under Postgres, so that it can be full.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use steward_dev::servers::{Postgres, is_root};

/// Its size: room for the cluster, its log of writes and what a run writes.
const SIZE: &str = "1500m";

/// What is left free when the disk is full for everybody who wants a page more, in bytes.
const CRUMB: u64 = 0;

/// A file system of its own.
#[derive(Debug)]
pub struct Disk {
    ballast: PathBuf,
    size: u64,
}

impl Disk {
    /// Puts a small file system where the cluster lives; `None` on a machine where we may not mount one.
    pub(super) fn under(postgres: &Postgres) -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let dir = postgres.dir();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={SIZE},mode=0755"), "tmpfs"]).arg(dir).output();
        match mounted {
            Ok(done) if done.status.success() => Ok(Some(Self { ballast: dir.join("ballast"), size: 1500 << 20 })),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Writes until nothing more fits.
    ///
    /// # Errors
    /// The ballast cannot be written for another reason.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = fs::File::create(&self.ballast).context("making the ballast")?;
        let piece = vec![0_u8; 1 << 16];
        let mut written = 0;
        while written < self.size - CRUMB {
            match ballast.write(&piece) {
                Ok(length) => written += length as u64,
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("writing the ballast"),
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// The ballast cannot be removed.
    pub fn clear(&self) -> Result<()> {
        fs::remove_file(&self.ballast).context("removing the ballast")
    }
}

/// Takes away the file system of an earlier run.
pub(super) fn leave(postgres: &Postgres) -> Result<()> {
    if !is_mounted(postgres.dir())? {
        return Ok(());
    }
    postgres.stop()?;
    let done = Command::new("umount").arg("-l").arg(postgres.dir()).status().context("running umount")?;
    ensure!(done.success(), "{} stays mounted", postgres.dir().display());
    Ok(())
}

fn is_mounted(dir: &Path) -> Result<bool> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("reading the mounts")?;
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    Ok(mounts.lines().filter_map(|line| line.split(' ').nth(1)).any(|place| Path::new(place) == dir))
}
