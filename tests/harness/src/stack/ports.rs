//! The ports of a stack: the ones it likes, or others if those are taken; kept, so that it comes back where it was.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use steward_dev::servers::free_port;

use super::{files::Files, services::SERVICES};

/// Ports by name: `postgres`, `redis`, `smtp`, `webhook`, `work-order`, `work-order-metrics`, …
#[derive(Debug, Clone)]
pub struct Ports(BTreeMap<String, u16>);

impl Ports {
    /// The ports of the last start, if there was one.
    pub fn last(files: &Files) -> Option<Self> {
        let text = fs::read_to_string(files.ports()).ok()?;
        let ports = text.lines().filter_map(|line| {
            let (name, port) = line.split_once('=')?;
            Some((name.to_owned(), port.parse().ok()?))
        });
        Some(Self(ports.collect()))
    }

    /// Ports for a start. Those in `running` belong to processes that already have them; the others must be free.
    pub fn choose(files: &Files, is_running: impl Fn(&str) -> bool) -> Result<Self> {
        let last = Self::last(files).map_or_else(BTreeMap::new, |ports| ports.0);
        let mut chosen = BTreeMap::new();
        for (name, liked) in liked() {
            let before = last.get(&name).copied();
            let owner = name.strip_suffix("-metrics").unwrap_or(&name);
            let port = match before {
                Some(port) if is_running(owner) => port,
                Some(_) | None => free_port(Some(before.unwrap_or(liked)))?,
            };
            chosen.insert(name, port);
        }
        let text: String = chosen.iter().map(|(name, port)| format!("{name}={port}\n")).collect();
        fs::write(files.ports(), text).context("writing the ports")?;
        Ok(Self(chosen))
    }

    /// The port of this name.
    ///
    /// # Panics
    /// On a name that no stack has.
    pub fn of(&self, name: &str) -> u16 {
        self.0.get(name).copied().unwrap_or_else(|| panic!("no port is called {name}"))
    }
}

fn liked() -> Vec<(String, u16)> {
    let servers = [("postgres", 7132), ("redis", 7179), ("smtp", 7125), ("webhook", 7180)];
    let mut all: Vec<_> = servers.map(|(name, port)| (name.to_owned(), port)).to_vec();
    for service in SERVICES {
        all.push((service.name.to_owned(), service.port));
        all.push((format!("{}-metrics", service.name), service.metrics_port));
    }
    all
}
