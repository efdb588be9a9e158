//! One private Redis server.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::Binaries;
use crate::{Problem, Result};

/// How a private Redis server is run.
#[derive(Debug, Clone, Copy)]
pub struct Redis;

impl Redis {
    /// The URL of a server on `port`.
    pub fn url(port: u16) -> String {
        format!("redis://127.0.0.1:{port}/")
    }

    /// The command that runs a server in the foreground: `kept` in `dir`, or in memory only.
    pub fn command(binaries: &Binaries, port: u16, kept: Option<&Path>) -> Command {
        let mut command = Command::new(&binaries.redis);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        match kept {
            Some(dir) => command.args(["--save", "", "--appendonly", "yes", "--dir"]).arg(dir),
            None => command.args(["--save", "", "--appendonly", "no", "--dir", "/tmp"]),
        };
        command
    }

    /// The same command, ended by the kernel when the thread that starts it ends: nothing a crashed test can leave behind.
    pub fn bound_to_us(command: &Command) -> Command {
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        bound
    }

    /// Whether a server answers on this port.
    pub fn answers(port: u16) -> bool {
        let ping = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_read_timeout(Some(Duration::from_millis(500)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            Ok(&answer == b"+PONG")
        };
        ping().unwrap_or(false)
    }

    /// Waits until a server answers.
    pub fn wait(port: u16, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        while !Self::answers(port) {
            if begun.elapsed() > patience {
                return Err(Problem::new(format!("Redis does not answer on port {port}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}
