//! Where everything is measured: a Postgres that keeps its promises to the disk, a Redis as the development stack has it, every schema
//! migrated, and the services as they are shipped, each its own process, started by whoever measures it.

mod served;

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{PgPool, postgres::PgPoolOptions};
use steward_dev::{
    process::ProcessTable,
    servers::{Binaries, Durability, Postgres, Redis, free_port},
    shutdown::stop_everything,
};
use steward_harness::{
    Claims,
    stack::{self, DATABASE, Files, Keys, Ports, SERVICES, Service},
};
use steward_kit::clock::Clock;

pub(crate) use served::Served;

use crate::{options::Options, tell};

/// What is asked of Postgres beyond what it does anyway. Nothing here trades the safety of a commit.
const SETTINGS: [(&str, &str); 7] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_preload_libraries", "pg_stat_statements"),
    ("shared_buffers", "1GB"),
    // A checkpoint within a turn would be the noise of that turn.
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
];

/// The stage of one run.
pub(crate) struct Stage {
    /// What the run was asked for.
    pub(crate) options: Options,
    /// The clock of the machine, which every process goes by.
    pub(crate) clock: Clock,
    files: Files,
    ports: Ports,
    keys: Keys,
    processes: ProcessTable,
    pool: PgPool,
}

impl Stage {
    /// Starts the servers, empty unless the run keeps what an earlier one left, and migrates every schema. No service runs.
    pub(crate) async fn open(options: Options) -> Result<Self> {
        let mut files = Files::open()?;
        stop_everything(files.workspace())?;
        if !options.keep {
            files = files.wiped()?;
        }
        let ports = Ports::choose(&files, |_| false)?;
        let (keys, processes) = (Keys::open(&files)?, files.processes()?);
        let pool = start_postgres(&files, &ports).await?;
        let mut redis = Redis::command(&Binaries::find()?, ports.of("redis"), Some(&files.redis()));
        processes.spawn("redis", &mut redis, &files.log("redis"))?;
        Redis::wait(ports.of("redis"), Duration::from_secs(20))?;
        let stage = Self { options, clock: Clock::system(), files, ports, keys, processes, pool };
        for service in &SERVICES {
            if let Some(schema) = service.schema {
                let owner = Postgres::url_as(stage.ports.of("postgres"), &format!("{schema}_owner"), DATABASE);
                stack::migrate(service, &stage.program(&service.program())?, &stage.settings(service)?, owner).await?;
            }
        }
        Ok(stage)
    }

    /// Stops everything that the run started.
    pub(crate) fn close(self) -> Result<()> {
        stop_everything(self.files.workspace())?;
        Ok(())
    }

    /// Everybody's tables, as superuser.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// `postgres://…` for a role.
    pub(crate) fn database_url(&self, role: &str) -> String {
        Postgres::url_as(self.ports.of("postgres"), role, DATABASE)
    }

    /// `redis://…`
    pub(crate) fn redis_url(&self) -> String {
        Redis::url(self.ports.of("redis"))
    }

    /// A connection to Redis.
    pub(crate) async fn redis(&self) -> Result<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.redis_url())?;
        client.get_multiplexed_async_connection().await.context("connecting to Redis")
    }

    /// A port of a process of the stage: `postgres`, `redis`, `work-order`, `work-order-metrics`, …
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.of(name)))
    }

    /// The file with a service's keys for personal data.
    pub(crate) fn keyring(&self, service: &str) -> Result<std::path::PathBuf> {
        self.keys.keyring(service)
    }

    /// A token of the stage's issuer.
    pub(crate) fn token(&self, claims: &Claims) -> Result<String> {
        self.keys.issuer().mint(claims)
    }

    /// A token of somebody of the group's operations, who may see every estate.
    pub(crate) fn operations(&self) -> Result<String> {
        self.token(&Claims::staff("bench").role("group_operations").every_estate())
    }

    /// Starts a service as it is shipped. Sheds its process when dropped.
    pub(crate) async fn start(&self, name: &'static str) -> Result<Served> {
        self.start_with(name, &[]).await
    }

    /// The same, told these settings too (names without the service's prefix); they hold against the usual ones.
    pub(crate) async fn start_with(&self, name: &'static str, settings: &[(&str, &str)]) -> Result<Served> {
        let service = Service::named(name)?;
        self.spawn(name, self.ports.of(name), &mut self.serving(service, settings)?).await
    }

    /// One more process of a service, under another name and on ports of its own.
    pub(crate) async fn start_another(&self, name: &'static str, service: &str, settings: &[(&str, &str)]) -> Result<Served> {
        let (port, metrics) = (free_port(None)?, free_port(None)?);
        let addresses = [port, metrics].map(|port| format!("127.0.0.1:{port}"));
        let mut command = self.serving(Service::named(service)?, &[("LISTEN", &addresses[0]), ("METRICS_LISTEN", &addresses[1])])?;
        let prefix = Service::named(service)?.prefix();
        command.envs(settings.iter().map(|(setting, value)| (format!("{prefix}{setting}"), value)));
        self.spawn(name, port, &mut command).await
    }

    fn serving(&self, service: &Service, settings: &[(&str, &str)]) -> Result<Command> {
        let mut command = Command::new(self.program(&service.program())?);
        command.arg("serve").envs(self.settings(service)?);
        command.envs(settings.iter().map(|(setting, value)| (format!("{}{setting}", service.prefix()), value)));
        Ok(command)
    }

    /// Makes one more database with the roles, and one service's schema in it. What was there under that name is gone.
    pub(crate) async fn another_database(&self, name: &str, service: &str) -> Result<()> {
        let (service, port) = (Service::named(service)?, self.ports.of("postgres"));
        let schema = service.schema.context("a service without a schema")?;
        let cluster = Postgres::at(&self.files.postgres(), &Binaries::find()?, Durability::Kept)?;
        cluster.sql(port, "postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        cluster.sql(port, "postgres", &format!("CREATE DATABASE {name}"))?;
        cluster.sql_file(port, "postgres", name, &self.files.workspace().bootstrap_sql())?;
        let owner = Postgres::url_as(port, &format!("{schema}_owner"), name);
        stack::migrate(service, &self.program(&service.program())?, &self.settings(service)?, owner).await
    }

    /// `postgres://…` of a role in such a database.
    pub(crate) fn url_of_another(&self, name: &str, role: &str) -> String {
        Postgres::url_as(self.ports.of("postgres"), role, name)
    }

    /// Starts any program that answers gRPC's health question on `port`, under this name.
    pub(crate) async fn spawn(&self, name: &'static str, port: u16, command: &mut Command) -> Result<Served> {
        ensure!(self.processes.alive(name).is_none(), "{name} runs already");
        Served::start(&self.processes, name, port, command, &self.files.log(name)).await
    }

    /// A program of the release build.
    pub(crate) fn program(&self, name: &str) -> Result<std::path::PathBuf> {
        let program = self.files.workspace().release_binary(name);
        ensure!(program.is_file(), "{} is not built: `cargo dev bench` builds it", program.display());
        Ok(program)
    }

    /// The workspace that is measured.
    pub(crate) fn workspace(&self) -> &steward_dev::Workspace {
        self.files.workspace()
    }

    /// What a service is told in the development stack, but by the machine's clock and with the log that production has.
    fn settings(&self, service: &Service) -> Result<Vec<(String, String)>> {
        let mut settings = stack::environment(service, &self.files, &self.ports, &self.keys)?;
        let of_development = ["CLOCK_OFFSET_FILE", "LOG_FORMAT"].map(|name| format!("{}{name}", service.prefix()));
        settings.retain(|(name, _)| !of_development.contains(name));
        Ok(settings)
    }
}

async fn start_postgres(files: &Files, ports: &Ports) -> Result<PgPool> {
    let cluster = Postgres::at(&files.postgres(), &Binaries::find()?, Durability::Kept)?.with_settings(&SETTINGS);
    let port = cluster.start(Some(ports.of("postgres")))?;
    if cluster.sql(port, "postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"))?.is_empty() {
        cluster.sql(port, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    }
    cluster.sql_file(port, "postgres", DATABASE, &files.workspace().bootstrap_sql())?;
    cluster.sql(port, DATABASE, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")?;
    let pool = PgPoolOptions::new().max_connections(4).connect(&Postgres::url(port, DATABASE)).await.context("connecting to Postgres")?;
    for (name, wanted) in SETTINGS.iter().take(3) {
        let is: String = sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&pool).await?;
        if is != *wanted {
            bail!("{name} is {is}: commits would be cheaper than they are in production");
        }
    }
    tell(format!("Postgres on port {port}, durable, in {}", cluster.dir().display()));
    Ok(pool)
}
