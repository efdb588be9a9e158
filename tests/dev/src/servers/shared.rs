//! The one Postgres that all test processes of this workspace share.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{Binaries, Durability, Postgres};
use crate::{Problem, Result, Workspace};

/// Minutes without a test after which the shared server stops by itself.
const IDLE_MINUTES: u32 = 20;

/// A disposable server for tests: the first process that wants it starts it, the others find it, and it stops by itself when no test
/// has used it for a while.
///
/// What an earlier run left behind, however that ended, is thrown away at the next start: the data is never repaired.
#[derive(Debug)]
pub struct SharedPostgres {
    cluster: Postgres,
    port: u16,
    home: PathBuf,
}

impl SharedPostgres {
    /// Finds the running server or starts it.
    pub fn get(workspace: &Workspace) -> Result<Self> {
        let home = workspace.test_servers();
        fs::create_dir_all(&home).map_err(Problem::io(format_args!("making {}", home.display())))?;
        let cluster = Postgres::at(&home.join("postgres"), &Binaries::find()?, Durability::Disposable)?;
        let shared = |port| Self { cluster: cluster.clone(), port, home: home.clone() };
        let server_lock = lock(&home, "server")?;
        touch(&cluster)?;
        if let Some(port) = cluster.running_port() {
            return Ok(shared(port));
        }
        cluster.wipe()?;
        let port = cluster.start(None)?;
        cluster.spawn_beside(&watcher(&cluster))?;
        drop(server_lock);
        Ok(shared(port))
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The cluster, for SQL by psql.
    pub fn cluster(&self) -> &Postgres {
        &self.cluster
    }

    /// Holds off every other process that asks for the same lock until the file is dropped.
    pub fn lock(&self, name: &str) -> Result<File> {
        lock(&self.home, name)
    }

    /// Says that the server is still wanted.
    pub fn touch(&self) -> Result<()> {
        touch(&self.cluster)
    }
}

fn lock(home: &Path, name: &str) -> Result<File> {
    let path = home.join(format!("{name}.lock"));
    let file = File::create(&path).map_err(Problem::io(format_args!("opening {}", path.display())))?;
    file.lock().map_err(Problem::io(format_args!("locking {}", path.display())))?;
    Ok(file)
}

fn touch(cluster: &Postgres) -> Result<()> {
    let file = cluster.dir().join("last-use");
    fs::write(&file, "").map_err(Problem::io(format_args!("writing {}", file.display())))
}

/// A shell that looks once a minute, and stops the server and forgets its data when nobody used it for [`IDLE_MINUTES`].
fn watcher(cluster: &Postgres) -> String {
    format!(
        "cd '{dir}' || exit; while sleep 60; do '{control}' status -s -D data >/dev/null || exit; \
         [ -n \"$(find last-use -mmin -{IDLE_MINUTES} 2>/dev/null)\" ] || {{ '{control}' stop -s -m immediate -D data && mv data forgotten && rm -rf forgotten; exit; }}; done",
        dir = cluster.dir().display(),
        control = cluster.control_program().display(),
    )
}
