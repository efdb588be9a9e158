//! Stopping a development stack. Here and not in the runner, so that `cargo dev down` works even when nothing compiles.

use std::time::Duration;

use crate::{
    Result, Workspace,
    process::ProcessTable,
    servers::{Binaries, Durability, Postgres},
};

/// How long a service may take to finish its open requests.
const GRACE: Duration = Duration::from_secs(15);

/// Stops every process of the development stack: callers before what they call. Returns what was running.
pub fn stop_everything(workspace: &Workspace) -> Result<Vec<String>> {
    let processes = ProcessTable::open(workspace.dev().join("run"))?;
    let mut names = processes.names();
    names.sort_by_key(|name| match name.as_str() {
        "gateway" => 0,
        "sinks" => 2,
        "redis" => 3,
        _service => 1,
    });
    let mut stopped = Vec::new();
    for name in names {
        if processes.stop(&name, GRACE)? {
            stopped.push(name);
        }
    }
    let data = workspace.dev().join("postgres");
    if workspace.dev().exists()
        && let Ok(binaries) = Binaries::find()
        && Postgres::at(&data, &binaries, Durability::Kept)?.stop()?
    {
        stopped.push("postgres".to_owned());
    }
    Ok(stopped)
}
