//! One private Postgres cluster.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    Binaries, free_port,
    place::{RunAs, reachable},
};
use crate::{Problem, Result};

/// Whether the data must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The development stack: what was written stays.
    Kept,
    /// Tests: fast, and worthless afterwards.
    Disposable,
}

/// A private Postgres cluster in a folder of its own; it listens on 127.0.0.1 only and trusts every local connection.
#[derive(Debug, Clone)]
pub struct Postgres {
    programs: PathBuf,
    dir: PathBuf,
    run_as: Option<RunAs>,
    durability: Durability,
    /// Settings on top of the usual ones, as ` -c name=value`.
    settings: String,
}

impl Postgres {
    /// The cluster kept at `dir` (made on the first start).
    pub fn at(dir: &Path, binaries: &Binaries, durability: Durability) -> Result<Self> {
        let run_as = RunAs::choose()?;
        Ok(Self {
            programs: binaries.postgres.clone(),
            dir: reachable(dir, run_as, durability)?,
            run_as,
            durability,
            settings: String::new(),
        })
    }

    /// The same cluster, started with these settings too; they hold against the usual ones.
    #[must_use]
    pub fn with_settings(mut self, settings: &[(&str, &str)]) -> Self {
        self.settings = settings.iter().map(|(name, value)| format!(" -c {name}={value}")).collect();
        self
    }

    /// The superuser's URL of a database on `port`.
    pub fn url(port: u16, database: &str) -> String {
        Self::url_as(port, "postgres", database)
    }

    /// A role's URL of a database on `port`.
    pub fn url_as(port: u16, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{port}/{database}")
    }

    /// The folder that this cluster really lives in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The port of the running server, if it runs.
    pub fn running_port(&self) -> Option<u16> {
        let status =
            self.control().args(["status", "-s", "-D"]).arg(self.data()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        if !status.success() {
            return None;
        }
        // Written by the server itself: pid, data folder, start time, port, …
        fs::read_to_string(self.data().join("postmaster.pid")).ok()?.lines().nth(3)?.trim().parse().ok()
    }

    /// Starts the server, making the cluster first if there is none; on `port` if that is free. Returns the port.
    pub fn start(&self, port: Option<u16>) -> Result<u16> {
        if let Some(port) = self.running_port() {
            return Ok(port);
        }
        if !self.data().join("PG_VERSION").is_file() {
            self.init()?;
        }
        let port = free_port(port)?;
        let mut options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c timezone=UTC");
        match self.durability {
            Durability::Kept => options.push_str(" -c shared_buffers=64MB"),
            // No data of a test is worth a disk flush; a crashed cluster is made anew.
            Durability::Disposable => options.push_str(" -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=128MB -c max_wal_size=1GB -c autovacuum_naptime=1h"),
        }
        options.push_str(&self.settings);
        let log = self.dir.join("postgres.log");
        let outcome =
            run(self.control().args(["start", "-s", "-w", "-t", "60", "-D"]).arg(self.data()).arg("-l").arg(&log).arg("-o").arg(options));
        outcome.map(|()| port).map_err(|problem| Problem::new(format!("Postgres did not start: {problem}\n{}", last_lines(&log))))
    }

    /// Stops the server if it runs.
    pub fn stop(&self) -> Result<bool> {
        if self.running_port().is_none() {
            return Ok(false);
        }
        let mode = match self.durability {
            Durability::Kept => "fast",
            Durability::Disposable => "immediate",
        };
        run(self.control().args(["stop", "-s", "-w", "-m", mode, "-D"]).arg(self.data())).map(|()| true)
    }

    /// Removes all data. The server must not run.
    pub fn wipe(&self) -> Result<()> {
        match fs::remove_dir_all(self.data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Problem::new(format!("removing {}: {error}", self.data().display())))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Runs a program of this cluster's user that outlives us, without our terminal.
    pub(super) fn spawn_beside(&self, script: &str) -> Result<()> {
        use std::os::unix::process::CommandExt;
        let mut command = RunAs::command(self.run_as, Path::new("sh"));
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command.current_dir("/").spawn().map(drop).map_err(Problem::io("starting the server's watcher"))
    }

    /// `pg_ctl`, for scripts.
    pub(super) fn control_program(&self) -> PathBuf {
        self.programs.join("pg_ctl")
    }

    /// The data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Runs SQL text with psql as superuser, stopping at the first error; returns what it printed, unaligned and without headings.
    pub fn sql(&self, port: u16, database: &str, text: &str) -> Result<String> {
        self.psql(port, "postgres", database, [OsStr::new("-c"), OsStr::new(text)])
    }

    /// Runs an SQL file with psql as `role`, stopping at the first error.
    pub fn sql_file(&self, port: u16, role: &str, database: &str, file: &Path) -> Result<()> {
        self.psql(port, role, database, [OsStr::new("-f"), file.as_os_str()])
            .map(drop)
            .map_err(|problem| Problem::new(format!("{}: {problem}", file.display())))
    }

    fn psql<'a>(&self, port: u16, role: &str, database: &str, what: impl IntoIterator<Item = &'a OsStr>) -> Result<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &Self::url_as(port, role, database)]).args(what);
        command.env("PGOPTIONS", "-c client_min_messages=warning").stdin(Stdio::null());
        let output = command.output().map_err(Problem::io("running psql"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()),
            false => Err(Problem::new(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())),
        }
    }

    fn init(&self) -> Result<()> {
        self.wipe()?;
        let mut command = RunAs::command(self.run_as, &self.programs.join("initdb"));
        command.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "-D"]).arg(self.data());
        if self.durability == Durability::Disposable {
            command.arg("--no-sync");
        }
        run(command.current_dir("/"))
    }

    fn control(&self) -> Command {
        let mut command = RunAs::command(self.run_as, &self.control_program());
        command.current_dir("/");
        command
    }
}

/// Runs to the end with its output kept aside, and shows it only if it failed.
///
/// Standard output goes to nowhere rather than into a pipe: a server started underneath would keep the pipe open and us waiting.
fn run(command: &mut Command) -> Result<()> {
    let name = format!("{:?}", command.get_program());
    let errors = std::env::temp_dir().join(format!("steward-{}-{:?}.err", std::process::id(), std::thread::current().id()));
    let file = fs::File::create(&errors).map_err(Problem::io("making a temporary file"))?;
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).status().map_err(Problem::io(format_args!("running {name}")));
    let text = fs::read_to_string(&errors).unwrap_or_default();
    let _ = fs::remove_file(&errors);
    match status?.success() {
        true => Ok(()),
        false => Err(Problem::new(text.trim_end().to_owned())),
    }
}

fn last_lines(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
