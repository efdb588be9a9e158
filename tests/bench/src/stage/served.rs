//! A program that was started for a measurement.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use steward_dev::process::ProcessTable;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::cores;

/// How long a program may take to serve.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to finish when it is stopped.
const GRACE: Duration = Duration::from_secs(15);

/// A running program. Stopped when dropped.
pub(crate) struct Served {
    name: &'static str,
    port: u16,
    pid: u32,
    ready: Duration,
    processes: ProcessTable,
}

impl Served {
    pub(super) async fn start(processes: &ProcessTable, name: &'static str, port: u16, command: &mut Command, log: &Path) -> Result<Self> {
        wait_for_port(name, port).await?;
        let begun = Instant::now();
        let pid = processes.spawn(name, command, log)?;
        let mut served = Self { name, port, pid, ready: Duration::ZERO, processes: processes.clone() };
        while !served.serves().await {
            ensure!(processes.alive(name).is_some(), "{name} ended while it started; its log is {}", log.display());
            ensure!(begun.elapsed() < PATIENCE, "{name} does not serve; its log is {}", log.display());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        served.ready = begun.elapsed();
        Ok(served)
    }

    /// `http://…`
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A connection of its own: not shared with other callers.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        Endpoint::from_shared(self.url())?.tcp_nodelay(true).connect().await.with_context(|| format!("connecting to {}", self.name))
    }

    /// So many connections, for callers that do not share one.
    pub(crate) async fn channels(&self, count: usize) -> Result<Vec<Channel>> {
        let mut channels = Vec::with_capacity(count);
        for _ in 0..count {
            channels.push(self.channel().await?);
        }
        Ok(channels)
    }

    /// From its start until it said that it serves.
    pub(crate) fn ready(&self) -> Duration {
        self.ready
    }

    /// Asks once.
    async fn serves(&self) -> bool {
        let Ok(channel) = self.channel().await else { return false };
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
        answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
    }

    /// Memory in use, in MiB: its own, and the pages of its program that it has touched.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).with_context(|| format!("{} is gone", self.name))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.split_whitespace().next().context("no VmRSS")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// Time it has had of a core, since its start.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        cores::of_process(self.pid).with_context(|| format!("{} is gone", self.name))
    }

    /// Stops it as a deployment would, and waits until it is gone.
    pub(crate) fn stop(self) -> Result<()> {
        self.processes.stop(self.name, GRACE)?;
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // After `stop` there is nothing left to do; what fails here is stopped at the end of the run.
        drop(self.processes.stop(self.name, GRACE));
    }
}

/// A process that was stopped may hold its ports for a moment after it is gone.
async fn wait_for_port(name: &str, port: u16) -> Result<()> {
    let begun = Instant::now();
    while std::net::TcpListener::bind(("127.0.0.1", port)).is_err() {
        ensure!(begun.elapsed() < PATIENCE, "port {port} of {name} is taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
