//! Services inside the test process: a manual clock, no child processes, panics and logs where the test sees them.
//!
//! The harness knows no service crate. A test (or `steward-e2e` for the whole stack) hands in what starts one:
//!
//! ```no_run
//! # use steward_harness::in_process::{Host, Started};
//! # async fn serve(_: (), _: tokio::net::TcpListener, _: tokio_util::sync::CancellationToken) -> anyhow::Result<()> { Ok(()) }
//! # async fn example() -> anyhow::Result<()> {
//! let mut host = Host::new();
//! let work_order: Started = host.start("work-order", |listener, shutdown| serve((), listener, shutdown)).await?;
//! let channel = work_order.channel().await?;
//! # drop(channel); Ok(())
//! # }
//! ```

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// How long services may take to drain when a test ends.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs services in this process and stops them when dropped.
#[derive(Debug, Default)]
pub struct Host {
    services: JoinSet<(&'static str, Result<()>)>,
    shutdown: CancellationToken,
}

/// A service that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl Host {
    /// Runs nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A listener on a free port, for a service whose address others must know before it starts.
    pub async fn listener() -> Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("looking for a free port")
    }

    /// Starts a service on a free port.
    pub async fn start<F, E>(&mut self, name: &'static str, serve: impl FnOnce(TcpListener, CancellationToken) -> F) -> Result<Started>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error>,
    {
        self.start_on(name, Self::listener().await?, serve)
    }

    /// Starts a service on a listener.
    pub fn start_on<F, E>(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        serve: impl FnOnce(TcpListener, CancellationToken) -> F,
    ) -> Result<Started>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error>,
    {
        let address = listener.local_addr().context("asking for the listener's address")?;
        let stop = self.shutdown.child_token();
        let service = serve(listener, stop.clone());
        self.services.spawn(async move { (name, service.await.map_err(Into::into)) });
        Ok(Started { address, stop })
    }

    /// Stops every service and waits for it; fails if one of them had failed or panicked.
    pub async fn stop(mut self) -> Result<()> {
        self.shutdown.cancel();
        let drained = async {
            while let Some(ended) = self.services.join_next().await {
                let (name, outcome) = ended.context("a service panicked")?;
                outcome.with_context(|| format!("{name} ended with an error"))?;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(DRAIN, drained).await {
            Ok(outcome) => outcome,
            Err(_) => bail!("services still ran {} s after they were told to stop", DRAIN.as_secs()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Started {
    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A connection to it, as soon as it accepts one.
    pub async fn channel(&self) -> Result<Channel> {
        let endpoint = Endpoint::from_shared(self.url())?;
        // The listener is open before the service runs, so the first attempt waits in its queue.
        endpoint.connect_timeout(DRAIN).connect().await.with_context(|| format!("connecting to {}", self.address))
    }

    /// Asks this service alone to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
