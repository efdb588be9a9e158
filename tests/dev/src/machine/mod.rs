//! What the machine must have, and bringing it when we may.

mod packages;

use std::time::Instant;

use crate::{
    Problem, Result, say,
    servers::{Binaries, is_root},
};

/// Finds Postgres and Redis, installing them with apt after saying so if we are root on Debian or Ubuntu; otherwise names the command.
pub fn ensure_servers() -> Result<Binaries> {
    if let Ok(found) = Binaries::find() {
        return Ok(found);
    }
    let mut wanted = Vec::new();
    if crate::servers::find_postgres().is_none() {
        wanted.push("postgresql");
    }
    if crate::servers::find_redis().is_none() {
        wanted.push("redis-server");
    }
    install(&wanted, "the private database and timer index of this stack")?;
    Binaries::find().map_err(|problem| match packages::release() {
        Some(release) => Problem::new(format!(
            "{problem}\n  ({release} may carry an older Postgres than 15: its own archive at apt.postgresql.org has newer ones)"
        )),
        None => problem,
    })
}

/// Installs packages, showing what and why first.
pub fn install(names: &[&str], why: &str) -> Result<()> {
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {}", names.join(" "));
    if !packages::has_apt() {
        return Err(Problem::new(format!("this machine lacks {} ({why}) and has no apt-get", names.join(" and ")))
            .remedy("install Postgres 15 or newer and Redis 7 or newer, so that `postgres` and `redis-server` are on the PATH"));
    }
    if !is_root() {
        return Err(Problem::new(format!("this machine lacks {} ({why}), and installing needs root", names.join(" and "))).remedy(by_hand));
    }
    say::step(format!("Installing {} ({why}) from this system's packages", names.join(" and ")));
    let begun = Instant::now();
    packages::install(names).map_err(|problem| problem.remedy(by_hand))?;
    say::done("installed", begun.elapsed());
    Ok(())
}
