//! apt, as a machine without a person in front of it wants it.

use std::process::{Command, Stdio};

use crate::{Problem, Result, checks::relay, servers::on_path};

/// Whether this is a system with apt.
pub(super) fn has_apt() -> bool {
    on_path("apt-get").is_some()
}

/// `Debian GNU/Linux 12 (bookworm)`
pub(super) fn release() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix("PRETTY_NAME=")?.trim_matches('"').to_owned()))
}

/// Refreshes the lists and installs, showing apt's own lines.
pub(super) fn install(names: &[&str]) -> Result<()> {
    apt(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(names);
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-o", "Dpkg::Use-Pty=0"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let outcome = relay::run(&mut command, &format!("apt-get {}", arguments[0]), relay::show)?;
    match outcome.success() {
        true => Ok(()),
        false => Err(Problem::new(format!("apt-get {} failed", arguments.join(" ")))),
    }
}
