//! Where the stack keeps what.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use steward_dev::{
    Workspace,
    process::ProcessTable,
    servers::{Binaries, Durability, Postgres},
};

/// The folder of one development stack.
#[derive(Debug, Clone)]
pub struct Files {
    workspace: Workspace,
    home: PathBuf,
}

impl Files {
    /// The stack of this workspace (or of `STEWARD_DEV_DIR`); its folders are made.
    pub fn open() -> Result<Self> {
        let workspace = Workspace::find()?;
        let home = workspace.dev();
        let files = Self { workspace, home };
        for dir in [files.home().to_path_buf(), files.logs(), files.keys(), files.redis()] {
            std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        }
        Ok(files)
    }

    /// The same stack without anything that was kept. Nothing of it may run.
    pub fn wiped(self) -> Result<Self> {
        Postgres::at(&self.postgres(), &Binaries::find()?, Durability::Kept)?.wipe()?;
        std::fs::remove_dir_all(&self.home).with_context(|| format!("removing {}", self.home.display()))?;
        Self::open()
    }

    /// The workspace it belongs to.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The folder itself.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// One log per process.
    pub fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }

    /// The log of one process.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// The issuer's key, its JWKS, service tokens and encryption keys.
    pub fn keys(&self) -> PathBuf {
        self.home.join("keys")
    }

    /// The Postgres cluster.
    pub fn postgres(&self) -> PathBuf {
        self.home.join("postgres")
    }

    /// Redis's append-only file.
    pub fn redis(&self) -> PathBuf {
        self.home.join("redis")
    }

    /// Mails that the SMTP server accepted.
    pub fn mail(&self) -> PathBuf {
        self.home.join("mail")
    }

    /// Webhook bodies that the receiver accepted.
    pub fn webhooks(&self) -> PathBuf {
        self.home.join("webhooks")
    }

    /// The clock of every process of the stack.
    pub fn clock(&self) -> PathBuf {
        self.home.join("clock")
    }

    /// The ports in use.
    pub fn ports(&self) -> PathBuf {
        self.home.join("ports")
    }

    /// The processes that were started.
    pub fn processes(&self) -> Result<ProcessTable> {
        Ok(ProcessTable::open(self.home.join("run"))?)
    }
}
