//! Two Redis servers: a primary that keeps what it has on disk, and a replica that follows it.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use steward_dev::{
    process::ProcessTable,
    servers::{Binaries, Redis, free_port},
};
use steward_harness::stack::Files;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// The pair; which of them is the primary changes with each failover.
#[derive(Debug)]
pub struct Pair {
    servers: [Server; 2],
    primary: AtomicUsize,
}

#[derive(Debug)]
struct Server {
    /// Its process.
    name: &'static str,
    port: u16,
    dir: PathBuf,
    log: PathBuf,
}

impl Pair {
    pub(super) fn start(files: &Files, processes: &ProcessTable, port: u16) -> Result<Self> {
        let server = |name: &'static str, port: u16| -> Result<Server> {
            let dir = files.redis().join(name);
            std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
            Ok(Server { name, port, dir, log: files.log(name) })
        };
        let servers = [server("redis", port)?, server("redis-replica", free_port(None)?)?];
        servers[0].start(processes, None)?;
        servers[1].start(processes, Some(servers[0].port))?;
        Ok(Self { servers, primary: AtomicUsize::new(0) })
    }

    fn roles(&self) -> (&Server, &Server) {
        let [first, second] = &self.servers;
        if self.primary.load(Ordering::SeqCst) == 0 { (first, second) } else { (second, first) }
    }

    pub(super) fn start_primary(&self, processes: &ProcessTable) -> Result<()> {
        self.roles().0.start(processes, None)
    }

    pub(super) fn kill_primary(&self, processes: &ProcessTable) -> Result<()> {
        ensure!(processes.kill(self.roles().0.name)?, "Redis did not run");
        Ok(())
    }

    /// Returns the port of the new primary.
    pub(super) async fn fail_over(&self, processes: &ProcessTable) -> Result<u16> {
        let (old, new) = self.roles();
        ensure!(processes.kill(old.name)?, "Redis did not run");
        command(new.port, "REPLICAOF NO ONE").await?;
        self.primary.fetch_xor(1, Ordering::SeqCst);
        // What the old one has and the new one never got is gone with it: it follows now.
        old.start(processes, Some(new.port))?;
        Ok(new.port)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn flush(&self) -> Result<()> {
        command(self.roles().0.port, "FLUSHALL").await
    }

    /// Adds an entry to a stream, as whoever else may write there.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn add(&self, stream: &str, field: &str, value: &str) -> Result<()> {
        command(self.roles().0.port, &format!("XADD {stream} * {field} {value}")).await
    }
}

impl Server {
    fn start(&self, processes: &ProcessTable, follows: Option<u16>) -> Result<()> {
        let mut server: Command = Redis::command(&Binaries::find()?, self.port, Some(&self.dir));
        if let Some(primary) = follows {
            server.args(["--replicaof", "127.0.0.1", &primary.to_string()]);
        }
        let begun = Instant::now();
        processes.spawn(self.name, &mut server, &self.log)?;
        Redis::wait(self.port, PATIENCE)?;
        ensure!(processes.alive(self.name).is_some(), "{} ended at once, after {:?}", self.name, begun.elapsed());
        Ok(())
    }
}

/// One command in Redis's own short form; its answer must not be an error.
async fn command(port: u16, text: &str) -> Result<()> {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned())
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await.context("Redis does not answer")??;
    ensure!(!answer.starts_with('-'), "Redis refuses `{text}`: {answer}");
    Ok(())
}
