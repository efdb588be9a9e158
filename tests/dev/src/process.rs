//! Processes that outlive the launcher: started apart from its terminal, remembered in a file, stopped politely and then firmly.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Problem, Result};

/// A folder of `<name>.pid` files, one per process that was started.
#[derive(Debug, Clone)]
pub struct ProcessTable {
    dir: PathBuf,
}

impl ProcessTable {
    /// Opens the table kept in `dir`.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(Problem::io(format_args!("making {}", dir.display())))?;
        Ok(Self { dir })
    }

    /// Starts `command` in its own process group, without our terminal, with its output appended to `log`, and remembers it.
    pub fn spawn(&self, name: &str, command: &mut Command, log: &Path) -> Result<u32> {
        let open =
            || fs::OpenOptions::new().create(true).append(true).open(log).map_err(Problem::io(format_args!("opening {}", log.display())));
        let child = command
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .process_group(0)
            .spawn()
            .map_err(Problem::io(format_args!("starting {name} ({})", command.get_program().to_string_lossy())))?;
        let pid = child.id();
        let started = start_time(pid).unwrap_or_default();
        fs::write(self.file(name), format!("{pid} {started}\n")).map_err(Problem::io(format_args!("writing the pid of {name}")))?;
        // Reaps the child if it ends while we live; otherwise init does.
        let mut child = child;
        thread::spawn(move || child.wait());
        Ok(pid)
    }

    /// The process id of `name`, if that very process still lives.
    pub fn alive(&self, name: &str) -> Option<u32> {
        let text = fs::read_to_string(self.file(name)).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let pid = pid.parse().ok()?;
        (start_time(pid)? == started).then_some(pid)
    }

    /// Names that were started and not stopped by us, alive or not.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".pid").map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Asks the process to stop, waits up to `grace`, then kills it. True if it was running.
    pub fn stop(&self, name: &str, grace: Duration) -> Result<bool> {
        let Some(pid) = self.alive(name) else {
            self.forget(name);
            return Ok(false);
        };
        signal(pid, "TERM")?;
        let begun = Instant::now();
        while self.alive(name).is_some() && begun.elapsed() < grace {
            thread::sleep(Duration::from_millis(20));
        }
        if self.alive(name).is_some() {
            signal(pid, "KILL")?;
        }
        self.forget(name);
        Ok(true)
    }

    /// Kills the process without a word, as a crash would. True if it was running.
    pub fn kill(&self, name: &str) -> Result<bool> {
        let Some(pid) = self.alive(name) else { return Ok(false) };
        signal(pid, "KILL")?;
        while self.alive(name).is_some() {
            thread::sleep(Duration::from_millis(5));
        }
        self.forget(name);
        Ok(true)
    }

    fn forget(&self, name: &str) {
        // A file that is already gone is what we want.
        let _ = fs::remove_file(self.file(name));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.pid"))
    }
}

/// Sends a signal through the shell's own `kill`, which every machine has; a call of our own would need unsafe code.
fn signal(pid: u32, signal: &str) -> Result<()> {
    Command::new("sh")
        .args(["-c", &format!("kill -{signal} {pid} 2>/dev/null || true")])
        .status()
        .map_err(Problem::io("running sh"))
        .map(drop)
}

/// The kernel's start time of a process: with the pid it names one process for ever, so a reused pid is never mistaken.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in brackets and may hold spaces: count from behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> ProcessTable {
        let dir = std::env::temp_dir().join(format!("steward-process-{name}-{}", std::process::id()));
        ProcessTable::open(dir).unwrap()
    }

    #[test]
    fn a_started_process_is_found_and_stopped() {
        let table = table("stop");
        let log = table.dir.join("sleep.log");
        let pid = table.spawn("sleep", Command::new("sleep").arg("60"), &log).unwrap();
        assert_eq!(table.alive("sleep"), Some(pid));
        assert_eq!(table.names(), ["sleep"]);
        assert!(table.stop("sleep", Duration::from_secs(5)).unwrap());
        assert_eq!(table.alive("sleep"), None);
        assert!(table.names().is_empty());
    }

    #[test]
    fn another_process_with_a_remembered_pid_is_not_taken_for_ours() {
        let table = table("reuse");
        fs::write(table.file("old"), format!("{} 1\n", std::process::id())).unwrap();
        assert_eq!(table.alive("old"), None);
        assert!(!table.stop("old", Duration::ZERO).unwrap());
    }
}
