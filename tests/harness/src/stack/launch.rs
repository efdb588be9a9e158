//! Starting the stack, or what of it does not run.

use std::{
    env,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use steward_dev::{
    process::ProcessTable,
    say,
    servers::{Binaries, Durability, Postgres, Redis, is_listening},
    shutdown::stop_everything,
};
use steward_kit::clock::SharedClock;

use super::{
    environment::{DATABASE, environment},
    files::Files,
    health,
    keys::Keys,
    logs,
    ports::Ports,
    services::{SERVICES, Service},
};
use crate::sinks::{MailSink, WebhookSink};

/// The process that is the SMTP server and the webhook receiver.
const SINKS: &str = "sinks";

/// How long a service may take to serve after its start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running development stack.
pub struct Stack {
    /// Where it keeps what.
    pub files: Files,
    /// Where it listens.
    pub ports: Ports,
    /// Its issuer and secrets.
    pub keys: Keys,
    processes: ProcessTable,
    collector: Option<String>,
}

impl Stack {
    /// Starts everything that does not run yet, and waits until every service takes calls. If that fails, nothing is left running that
    /// did not run before.
    pub async fn up(files: Files) -> Result<Self> {
        Self::up_traced(files, None).await
    }

    /// The same; services that are started now send every span to this collector.
    pub async fn up_traced(files: Files, collector: Option<&str>) -> Result<Self> {
        let stack = Self { collector: collector.map(str::to_owned), ..Self::prepare(files)? };
        let was_down = stack.running().is_empty();
        let started = stack.start_all().await;
        if started.is_err() && was_down {
            stack.down()?;
        }
        started.map(|()| stack)
    }

    async fn start_all(&self) -> Result<()> {
        self.start_servers()?;
        for service in &SERVICES {
            self.start(service).await?;
        }
        Ok(())
    }

    /// The stack as it was started before; nothing is started now.
    pub fn attach(files: Files) -> Result<Self> {
        let ports = Ports::last(&files).context("no stack was started here yet: `cargo dev up`")?;
        let (keys, processes) = (Keys::open(&files)?, files.processes()?);
        Ok(Self { files, ports, keys, processes, collector: None })
    }

    /// Starts one service if it does not run, migrating its schema first.
    pub async fn start(&self, service: &Service) -> Result<()> {
        if self.processes.alive(service.name).is_some() {
            say::detail(format!("{} runs already", service.name));
            return Ok(());
        }
        let begun = Instant::now();
        let program = self.files.workspace().binary(&service.program());
        ensure!(program.is_file(), "{} is not built: `cargo build --workspace --bins`", program.display());
        let mut settings = environment(service, &self.files, &self.ports, &self.keys)?;
        if let Some(collector) = &self.collector {
            let traced = [("OTLP_ENDPOINT", collector.as_str()), ("TRACE_RATIO", "1")];
            settings.extend(traced.map(|(name, value)| (format!("{}{name}", service.prefix()), value.to_owned())));
        }
        self.wait_for_free_ports(service).await?;
        if let Some(schema) = service.schema {
            let owner = Postgres::url_as(self.ports.of("postgres"), &format!("{schema}_owner"), DATABASE);
            migrate(service, &program, &settings, owner).await?;
        }
        let mut command = Command::new(&program);
        command.arg("serve").envs(settings);
        self.processes.spawn(service.name, &mut command, &self.files.log(service.name))?;
        let served = health::wait(&self.processes, service.name, self.ports.of(service.name), PATIENCE).await;
        served.with_context(|| format!("the last lines of its log:\n{}", logs::last_lines(&self.files, service.name, 20)))?;
        say::done(format!("{} serves on port {}", service.name, self.ports.of(service.name)), begun.elapsed());
        Ok(())
    }

    /// A killed process may hold its ports for a moment after it is gone: its last threads end later than its first.
    async fn wait_for_free_ports(&self, service: &Service) -> Result<()> {
        let begun = Instant::now();
        for name in [service.name.to_owned(), format!("{}-metrics", service.name)] {
            let port = self.ports.of(&name);
            while std::net::TcpListener::bind(("127.0.0.1", port)).is_err() {
                ensure!(begun.elapsed() < PATIENCE, "port {port} of {name} is taken");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    /// Kills one service without a word, as a crash would.
    pub fn kill(&self, service: &Service) -> Result<bool> {
        Ok(self.processes.kill(service.name)?)
    }

    /// Stops everything; the data stays. Returns what ran.
    pub fn down(&self) -> Result<Vec<String>> {
        Ok(stop_everything(self.files.workspace())?)
    }

    /// Names of the processes that run now.
    pub fn running(&self) -> Vec<String> {
        let names = self.processes.names();
        names.into_iter().filter(|name| self.processes.alive(name).is_some()).collect()
    }

    fn prepare(files: Files) -> Result<Self> {
        let processes = files.processes()?;
        let postgres = cluster(&files)?;
        let is_running = |name: &str| match name {
            "postgres" => postgres.running_port().is_some(),
            "smtp" | "webhook" => processes.alive(SINKS).is_some(),
            other => processes.alive(other).is_some(),
        };
        let ports = Ports::choose(&files, is_running)?;
        SharedClock::create(files.clock()).context("making the stack's clock")?;
        let keys = Keys::open(&files)?;
        Ok(Self { files, ports, keys, processes, collector: None })
    }

    /// Postgres with its roles and schemas, Redis, and the outside world.
    fn start_servers(&self) -> Result<()> {
        let begun = Instant::now();
        let (postgres, port) = (cluster(&self.files)?, self.ports.of("postgres"));
        postgres.start(Some(port))?;
        let is_there = postgres.sql(port, "postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"))?;
        if is_there.is_empty() {
            postgres.sql(port, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        }
        postgres.sql_file(port, "postgres", DATABASE, &self.files.workspace().bootstrap_sql())?;
        say::done(format!("Postgres on port {port}, roles and schemas in place"), begun.elapsed());

        let begun = Instant::now();
        let port = self.ports.of("redis");
        if self.processes.alive("redis").is_none() {
            let mut command = Redis::command(&Binaries::find()?, port, Some(&self.files.redis()));
            self.processes.spawn("redis", &mut command, &self.files.log("redis"))?;
        }
        Redis::wait(port, Duration::from_secs(20))?;
        say::done(format!("Redis on port {port}"), begun.elapsed());

        if self.processes.alive(SINKS).is_none() {
            let mut command = Command::new(env::current_exe().context("finding this program")?);
            self.processes.spawn(SINKS, command.arg("serve-sinks"), &self.files.log(SINKS))?;
        }
        let begun = Instant::now();
        while !["smtp", "webhook"].iter().all(|name| is_listening(self.ports.of(name))) {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the mail and webhook receiver does not start:\n{}",
                logs::last_lines(&self.files, SINKS, 20)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        say::done(format!("mail arrives on port {}, webhooks on {}", self.ports.of("smtp"), self.ports.of("webhook")), begun.elapsed());
        Ok(())
    }
}

/// Runs `<service> migrate` as the schema's owner.
pub async fn migrate(service: &Service, program: &Path, settings: &[(String, String)], owner_url: String) -> Result<()> {
    let mut command = tokio::process::Command::new(program);
    command.arg("migrate").envs(settings.iter().cloned()).env(format!("{}OWNER_DATABASE_URL", service.prefix()), owner_url);
    // A migration is over before anybody could scrape it.
    command.env_remove(format!("{}METRICS_LISTEN", service.prefix()));
    let output = command.stdin(std::process::Stdio::null()).output().await.with_context(|| format!("running {} migrate", service.name))?;
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{} migrate failed:\n{}", service.name, said());
    Ok(())
}

/// Runs the SMTP server and the webhook receiver in this process until it is stopped.
pub async fn serve_sinks(files: &Files) -> Result<()> {
    let ports = Ports::last(files).context("the stack's ports are not chosen yet")?;
    let _mail = MailSink::start_at(ports.of("smtp"), Some(files.mail())).await?;
    let _webhooks = WebhookSink::start_at(ports.of("webhook"), Some(files.webhooks())).await?;
    // Ends by the signal that stops the process.
    std::future::pending().await
}

fn cluster(files: &Files) -> Result<Postgres> {
    Ok(Postgres::at(&files.postgres(), &Binaries::find()?, Durability::Kept)?)
}
