//! Private Redis servers for tests.

use std::{
    process::Child,
    sync::{
        OnceLock,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use steward_dev::{
    Problem,
    servers::{Binaries, Redis, free_port},
};

/// How long a server may take to answer its first PING; it usually needs some 20 ms.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ports that may be taken by another process between our look and the server's start.
const ATTEMPTS: u32 = 5;

/// A Redis server in memory. The kernel ends it with this process at the latest.
#[derive(Debug)]
pub struct TestRedis {
    port: u16,
    server: Option<Child>,
}

impl TestRedis {
    /// The server of this test process. Under nextest a process runs one test; under `cargo test` its tests share it.
    pub fn shared() -> Result<&'static Self, Problem> {
        static SHARED: OnceLock<Result<TestRedis, Problem>> = OnceLock::new();
        SHARED.get_or_init(Self::own).as_ref().map_err(Clone::clone)
    }

    /// A server for one test alone, which may flush it, stop it or start it again.
    pub fn own() -> Result<Self, Problem> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let mut redis = Self { port: free_port(None)?, server: None };
            match redis.start() {
                Ok(()) => return Ok(redis),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::new("no Redis server was started")))
    }

    /// `redis://127.0.0.1:…/`
    pub fn url(&self) -> String {
        Redis::url(self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server: what it held is gone, callers see their connections break.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Either it was running and is gone now, or it was gone already.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Starts it again, empty, on the same port.
    pub fn start(&mut self) -> Result<(), Problem> {
        self.stop();
        let command = Redis::bound_to_us(&Redis::command(&Binaries::find()?, self.port, None));
        let mut server = spawn_from_a_lasting_thread(command)?;
        let outcome = Redis::wait(self.port, PATIENCE);
        // Somebody else's server may have answered: ours must still be there.
        if server.try_wait().ok().flatten().is_some() {
            return Err(Problem::new(format!("redis-server ended at once; port {} may have been taken", self.port)));
        }
        self.server = Some(server);
        outcome
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The kernel ends the server when the *thread* that started it ends, and a test's thread ends before its process does. So one thread
/// that never ends starts them all.
fn spawn_from_a_lasting_thread(mut command: std::process::Command) -> Result<Child, Problem> {
    type Job = Box<dyn FnOnce() + Send>;
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || jobs.into_iter().for_each(|job| job()));
        sender
    });
    let (answer, result) = mpsc::channel();
    let job: Job = Box::new(move || {
        use std::process::Stdio;
        // No pipe of ours may stay open in the server, or the test runner waits for it.
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        // The asker waits for this answer, so the channel is open.
        let _ = answer.send(child);
    });
    starter.send(job).map_err(|_| Problem::new("the thread that starts servers is gone"))?;
    let child = result.recv().map_err(|_| Problem::new("the thread that starts servers is gone"))?;
    child.map_err(Problem::io("starting redis-server"))
}
