//! Who had the cores: where the time of a call goes.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    load::Load,
    paired::Pairs,
    stage::{Served, Stage},
};

/// A load, and what each call of it had of a core, in microseconds.
pub(crate) struct Costed {
    pub(crate) load: Load,
    server_us: f64,
    database_us: f64,
}

/// Runs a load against `served`, whose time is counted, and Postgres' beside it.
pub(crate) async fn costed(stage: &Stage, served: &Served, load: impl Future<Output = Result<Load>>) -> Result<Costed> {
    let cluster = data_directory(stage).await?;
    let (server, database) = (served.cpu_time()?, of_processes_in(&cluster)?);
    let load = load.await?;
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let each = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() * 1e6 / load.times.count() as f64;
    let (server_us, database_us) = (each(server, served.cpu_time()?), each(database, of_processes_in(&cluster)?));
    Ok(Costed { load, server_us, database_us })
}

/// What a call costs on both sides, for a note.
pub(crate) fn told(turns: &[(Costed, Costed)]) -> String {
    let (server, database) = (Pairs::of(turns, |turn| turn.server_us), Pairs::of(turns, |turn| turn.database_us));
    format!(
        "of a core each takes {:.0} µs in the service and {:.0} in Postgres, bare {:.0} and {:.0}",
        server.product(),
        database.product(),
        server.limit(),
        database.limit()
    )
}

/// Time that a process has had of a core.
pub(crate) fn of_process(pid: u32) -> Result<Duration> {
    // utime and stime are the 14th and 15th field.
    ticks(&format!("/proc/{pid}/stat"), 2).map(of_ticks)
}

/// Time that the processes of a Postgres have had, those that are over included.
fn of_processes_in(cluster: &Path) -> Result<Duration> {
    let mut all = 0;
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        // Not a process, or one that ends just now.
        if fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == cluster) {
            // With those of its children that it has waited for, the 16th and 17th field.
            all += ticks(&process.join("stat").display().to_string(), 4).unwrap_or(0);
        }
    }
    Ok(of_ticks(all))
}

async fn data_directory(stage: &Stage) -> Result<std::path::PathBuf> {
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(stage.pool()).await?;
    Ok(fs::canonicalize(folder)?)
}

/// The sum of so many fields of a `stat` of `/proc`, from the 14th on.
fn ticks(stat: &str, fields: usize) -> Result<u64> {
    let text = fs::read_to_string(stat).context("reading a process' times")?;
    // The first field behind the bracket is the third.
    let behind = text.rsplit_once(')').context("an odd /proc/…/stat")?.1;
    behind.split_whitespace().skip(11).take(fields).map(|field| field.parse::<u64>().context("an odd /proc/…/stat")).sum()
}

fn of_ticks(ticks: u64) -> Duration {
    /// The unit of `/proc`, the same on every Linux.
    const TICKS_A_SECOND: u64 = 100;
    Duration::from_millis(ticks * 1000 / TICKS_A_SECOND)
}
