//! What a figure cannot be read without: the machine, the servers, the commit.

use std::{fs, process::Command, thread};

use anyhow::Result;
use serde::Serialize;

use crate::stage::Stage;

/// The facts of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    memory_gib: f64,
    kernel: String,
    postgres: String,
    redis: String,
    rustc: String,
    commit: String,
    /// Processes that wanted a core, a minute's mean, when the run began: what else the machine did.
    load_before: f64,
}

impl Machine {
    pub(crate) async fn of(stage: &Stage) -> Result<Self> {
        let mut redis = stage.redis().await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut redis).await?;
        let root = stage.workspace().root();
        let git = |arguments: &[&str]| said(Command::new("git").args(arguments).current_dir(root));
        let is_changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
        Ok(Self {
            cores: thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name"),
            memory_gib: field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0) / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease"),
            postgres: sqlx::query_scalar("SHOW server_version").fetch_one(stage.pool()).await?,
            redis: info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or("?").trim().to_owned(),
            rustc: said(Command::new("rustc").arg("-V").current_dir(root)),
            commit: format!("{}{}", git(&["rev-parse", "--short=12", "HEAD"]), if is_changed { " and changes" } else { "" }),
            load_before: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        })
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} cores ({}), {:.0} GiB, Linux {}, load before {:.1}; Postgres {}, Redis {}, {}, commit {}",
            self.cores, self.processor, self.memory_gib, self.kernel, self.load_before, self.postgres, self.redis, self.rustc, self.commit
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// The first `name: value` of a file of the kernel.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let found = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name));
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// What a command prints; empty if it is not there.
fn said(command: &mut Command) -> String {
    command.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
