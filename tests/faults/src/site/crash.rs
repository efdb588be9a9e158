//! The end of Postgres without a word.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

/// How long the last of its processes may take to notice that the first is gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Kills the first process of the cluster in `dir`, and with it all of them, as the kernel does when memory is short.
pub(super) async fn kill(dir: &Path) -> Result<()> {
    let (data, file) = (dir.join("data"), dir.join("data/postmaster.pid"));
    let text = fs::read_to_string(&file).context("reading postmaster.pid")?;
    let pid: u32 = text.lines().next().unwrap_or_default().trim().parse().context("the pid of Postgres")?;
    let killed = Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status().context("running sh")?;
    ensure!(killed.success(), "Postgres could not be killed");
    let begun = Instant::now();
    while !living_in(&data).is_empty() {
        ensure!(begun.elapsed() < PATIENCE, "processes of a Postgres that was killed live on: {:?}", living_in(&data));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Where nobody reaps orphans the dead process keeps its number, and the next server would take it for alive.
    if Path::new("/proc").join(pid.to_string()).exists() {
        fs::remove_file(&file).context("removing the pid of a dead server")?;
    }
    Ok(())
}

/// Processes that live and work in this folder: those of a Postgres do so in its data.
fn living_in(data: &Path) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)).collect()
}
