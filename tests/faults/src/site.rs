//! The suite as processes, with a link between any two of them: what may be killed, cut, slowed, flushed, filled and moved in time.

mod crash;
mod disk;
mod links;
mod programs;
mod redis;
mod tables;

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use steward_dev::{
    process::ProcessTable,
    servers::{Binaries, Durability, Postgres},
    shutdown::stop_everything,
};
use steward_harness::{
    MailSink, WebhookSink,
    proxy::Link,
    stack::{self, DATABASE, Files, Keys, Ports, SERVICES, Service},
};
use steward_kit::clock::{Clock, SharedClock};

use disk::Disk;
pub use links::CLIENT;
use links::local;
use redis::Pair;

/// How long a service or a server may take to be there again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The running suite.
pub struct Site {
    files: Files,
    ports: Ports,
    keys: Keys,
    processes: ProcessTable,
    postgres: Postgres,
    redis: Pair,
    /// Where Postgres keeps everything, if its size is ours to set.
    pub disk: Option<Disk>,
    links: BTreeMap<(&'static str, &'static str), Link>,
    settings: BTreeMap<&'static str, Vec<(String, String)>>,
    /// Takes mail in.
    pub mail: MailSink,
    /// Takes calls of webhooks in.
    pub webhooks: WebhookSink,
    clock: Clock,
    hand: SharedClock,
    /// Every move of the clock: from when, to when.
    moves: Mutex<Vec<(Timestamp, Timestamp)>>,
}

impl Site {
    /// Starts everything anew, in the folder of the stack that `STEWARD_DEV_DIR` names; Postgres on a disk that can be filled, where the
    /// machine allows it.
    ///
    /// # Errors
    /// Something does not start; the error says what.
    pub async fn open() -> Result<Self> {
        Self::opened(Disk::under).await
    }

    /// The same, on the machine's own disk: room for a day of a whole group.
    ///
    /// # Errors
    /// Something does not start; the error says what.
    pub async fn roomy() -> Result<Self> {
        Self::opened(|_| Ok(None)).await
    }

    async fn opened(disk: impl Fn(&Postgres) -> Result<Option<Disk>>) -> Result<Self> {
        let files = Files::open()?;
        stop_everything(files.workspace())?;
        disk::leave(&postgres_of(&files)?)?;
        let files = files.wiped()?;
        let ports = Ports::choose(&files, |_| false)?;
        let hand = SharedClock::create(files.clock()).context("making the clock")?;
        let postgres = postgres_of(&files)?;
        let disk = disk(&postgres)?;
        let postgres = if disk.is_some() { postgres_of(&files)? } else { postgres };
        let processes = files.processes()?;
        programs::copy(&files)?;
        let site = Self {
            redis: Pair::start(&files, &processes, ports.of("redis"))?,
            mail: MailSink::start_at(ports.of("smtp"), None).await?,
            webhooks: WebhookSink::start_at(ports.of("webhook"), None).await?,
            clock: Clock::shared(files.clock())?,
            keys: Keys::open(&files)?,
            links: BTreeMap::new(),
            settings: BTreeMap::new(),
            files,
            ports,
            processes,
            postgres,
            disk,
            hand,
            moves: Mutex::default(),
        };
        Box::pin(site.started()).await
    }

    async fn started(mut self) -> Result<Self> {
        let port = self.ports.of("postgres");
        self.postgres.start(Some(port))?;
        self.postgres.sql(port, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        self.postgres.sql_file(port, "postgres", DATABASE, &self.files.workspace().bootstrap_sql())?;
        let mut all = Vec::new();
        for service in &SERVICES {
            all.push((service, stack::environment(service, &self.files, &self.ports, &self.keys)?));
        }
        try_join_all(all.iter().filter_map(|(service, direct)| Some(self.migrate(service, service.schema?, direct)))).await?;
        for (service, direct) in all {
            let linked = self.linked(service.name, direct).await?;
            self.settings.insert(service.name, linked);
        }
        let webhook = Link::to(local(self.ports.of("webhook"))).await?;
        self.links.insert(("notification", "webhook"), webhook);
        let gateway = Link::to(local(self.ports.of("gateway"))).await?;
        self.links.insert((CLIENT, "gateway"), gateway);
        try_join_all(SERVICES.iter().map(|service| self.start(service.name))).await?;
        Ok(self)
    }

    async fn migrate(&self, service: &Service, schema: &str, settings: &[(String, String)]) -> Result<()> {
        let owner = Postgres::url_as(self.ports.of("postgres"), &format!("{schema}_owner"), DATABASE);
        stack::migrate(service, &self.program(service), settings, owner).await
    }

    fn program(&self, service: &Service) -> PathBuf {
        programs::dir(&self.files).join(service.program())
    }

    /// Starts a service and waits until it takes calls.
    ///
    /// # Errors
    /// It does not.
    pub async fn start(&self, name: &'static str) -> Result<()> {
        let service = Service::named(name)?;
        self.wait_for_free_ports(name).await?;
        let mut command = Command::new(self.program(service));
        command.arg("serve").envs(self.settings.get(name).cloned().unwrap_or_default());
        self.processes.spawn(name, &mut command, &self.files.log(name))?;
        let served = stack::wait_until_served(&self.processes, name, self.ports.of(name), PATIENCE).await;
        served.with_context(|| format!("its log is {}", self.files.log(name).display()))
    }

    /// A killed process may hold its ports for a moment after it is gone: its last threads end later than its first.
    async fn wait_for_free_ports(&self, name: &str) -> Result<()> {
        for port in [self.ports.of(name), self.ports.of(&format!("{name}-metrics"))] {
            until(&format!("port {port} of {name} to be free"), || std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
                .await?;
        }
        Ok(())
    }

    /// Kills a service without a word.
    ///
    /// # Errors
    /// It did not run: then it ended by itself before, and its log says why.
    pub fn kill(&self, name: &str) -> Result<()> {
        ensure!(self.processes.kill(name)?, "{name} had ended by itself; its log is {}", self.files.log(name).display());
        Ok(())
    }

    /// Names of services that ended by themselves.
    pub fn dead(&self) -> Vec<&'static str> {
        SERVICES.iter().map(|service| service.name).filter(|name| self.processes.alive(name).is_none()).collect()
    }

    /// Kills Postgres without a word.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill_postgres(&self) -> Result<()> {
        crash::kill(self.postgres.dir()).await
    }

    /// Starts Postgres again, as often as it takes: what is left of the old one may still hold its memory, or the disk may be full.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn start_postgres(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let (postgres, port) = (self.postgres.clone(), self.ports.of("postgres"));
            let started = tokio::task::spawn_blocking(move || {
                let started = postgres.start(Some(port))?;
                postgres.sql(port, DATABASE, "SELECT 1").map(|_| started)
            });
            match started.await? {
                Ok(started) if started == port => return Ok(()),
                Ok(other) => bail!("Postgres came back on port {other}, not {port}"),
                Err(problem) if begun.elapsed() > PATIENCE => bail!("Postgres does not come back: {problem}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// The two Redis servers.
    pub fn redis(&self) -> &Pair {
        &self.redis
    }

    /// Starts Redis again with what it kept on disk.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_redis(&self) -> Result<()> {
        self.redis.start_primary(&self.processes)
    }

    /// Kills Redis.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill_redis(&self) -> Result<()> {
        self.redis.kill_primary(&self.processes)
    }

    /// Kills Redis, makes its replica the primary, and leads everybody there; the old one comes back as the replica.
    ///
    /// # Errors
    /// The replica is not promoted.
    pub async fn fail_redis_over(&self) -> Result<()> {
        let promoted = self.redis.fail_over(&self.processes).await?;
        for ((_, to), link) in &self.links {
            if *to == "redis" {
                link.lead_to(local(promoted));
            }
        }
        Ok(())
    }

    /// Who signs tokens here.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The time that every service reads.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock itself.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Moves the clock of every service.
    ///
    /// # Errors
    /// The clock's file is gone.
    pub fn step(&self, by: SignedDuration) -> Result<()> {
        let from = self.now();
        self.hand.advance(by).context("moving the clock")?;
        self.moves.lock().unwrap_or_else(PoisonError::into_inner).push((from, from + by));
        Ok(())
    }

    /// Every move of the clock so far: from when, to when.
    pub fn moves(&self) -> Vec<(Timestamp, Timestamp)> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the logs are.
    pub fn logs(&self) -> PathBuf {
        self.files.logs()
    }
}

/// Stops everything that a run started.
///
/// # Errors
/// Something cannot be stopped.
pub fn sweep() -> Result<()> {
    let files = Files::open()?;
    stop_everything(files.workspace())?;
    disk::leave(&postgres_of(&files)?)
}

fn postgres_of(files: &Files) -> Result<Postgres> {
    Ok(Postgres::at(&files.postgres(), &Binaries::find()?, Durability::Kept)?)
}

async fn until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_so() {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
