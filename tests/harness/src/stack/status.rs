//! What runs, where, and how it feels.

use anyhow::Result;
use jiff::SignedDuration;
use steward_dev::{
    say::{self, Colour},
    servers::{Redis, is_listening},
};

use super::{
    clock,
    files::Files,
    health::{self, Health},
    ports::Ports,
    services::SERVICES,
};

/// Prints one line per program; true if all of them are well.
pub async fn print(files: &Files) -> Result<bool> {
    let Some(ports) = Ports::last(files) else {
        say::line("no stack was started here yet: `cargo dev up`");
        return Ok(false);
    };
    let processes = files.processes()?;
    let mut is_well = true;
    let mut row = |name: &str, port: u16, pid: Option<u32>, word: &str, is_good: bool| {
        is_well &= is_good;
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let word = say::paint(if is_good { Colour::Green } else { Colour::Red }, word);
        say::line(format!("{name:<14} port {port:<6} pid {pid:<8} {word}"));
    };
    let listens = |is_up| if is_up { ("answers", true) } else { ("does not run", false) };
    let (word, is_good) = listens(is_listening(ports.of("postgres")));
    row("postgres", ports.of("postgres"), None, word, is_good);
    let (word, is_good) = listens(Redis::answers(ports.of("redis")));
    row("redis", ports.of("redis"), processes.alive("redis"), word, is_good);
    for name in ["smtp", "webhook"] {
        let (word, is_good) = listens(is_listening(ports.of(name)));
        row(name, ports.of(name), processes.alive("sinks"), word, is_good);
    }
    for service in SERVICES {
        let (port, pid) = (ports.of(service.name), processes.alive(service.name));
        let health = if pid.is_some() { health::ask(port).await } else { Health::Silent };
        let (word, is_good) = match (pid, health) {
            (None, _) => ("does not run", false),
            (Some(_), Health::Serving) => ("serves", true),
            (Some(_), Health::NotServing) => ("answers, takes no calls", false),
            (Some(_), Health::Silent) => ("does not answer", false),
        };
        row(service.name, port, pid, word, is_good);
    }
    match clock::offset(files)? {
        SignedDuration::ZERO => say::line("clock          the machine's own"),
        offset => say::line(format!("clock          {offset:#} ahead of the machine's")),
    }
    Ok(is_well)
}
