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

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::{Problem, Result};

/// A port nobody listens on at this moment; `wanted` if that one is free.
pub fn free_port(wanted: Option<u16>) -> Result<u16> {
    if let Some(port) = wanted
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Problem::io("looking for a free port"))?;
    Ok(listener.local_addr().map_err(Problem::io("looking for a free port"))?.port())
}

/// Whether something accepts connections on this port of the machine.
pub fn is_listening(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
