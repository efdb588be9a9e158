//! Private Postgres and Redis servers: on free ports, with data under `target/`, never the machine's own.

mod binaries;
mod place;
mod postgres;
mod redis;
mod shared;

pub use binaries::{Binaries, find_postgres, find_redis, is_root, on_path};
pub use postgres::{Durability, Postgres};
pub use redis::Redis;
pub use shared::SharedPostgres;

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Problem, Result};

/// First port that the system gives to outgoing connections: from there on, anybody may take a port between our look and our use.
const EPHEMERAL: u16 = 32_768;

/// A port nobody listens on at this moment: `wanted` if that one is free, else one a few thousand above it; without a wish any, each
/// process looking in another place.
pub fn free_port(wanted: Option<u16>) -> Result<u16> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let found = match wanted {
        Some(wanted) => (wanted..EPHEMERAL).step_by(1_000).find(is_free),
        None => {
            let place = std::process::id().wrapping_mul(31).wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed)) % 12_000;
            (20_000 + u16::try_from(place).unwrap_or(0)..EPHEMERAL).find(is_free)
        }
    };
    found.ok_or_else(|| Problem::new("no port of this machine is free"))
}

/// Whether something accepts connections on this port of the machine.
pub fn is_listening(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
