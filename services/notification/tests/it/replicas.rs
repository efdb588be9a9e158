//! More than one process of the service, and processes that die.

use jiff::SignedDuration;
use steward_harness::in_process::Host;
use steward_kit::clock::Clock;
use steward_notification::serve_by;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use crate::world::{World, start};

/// A service that dies when this is dropped: nothing that it does is finished.
pub(crate) struct Mortal(Option<Runtime>);

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl World {
    /// Stops the service and starts it by the same clock in a runtime of its own, which can be ended in the middle of what it does.
    pub(crate) async fn mortal(&mut self) -> Mortal {
        std::mem::take(&mut self.host).stop().await.unwrap();
        let (clock, handle) = Clock::manual(self.clock.now());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let config = self.config.clone();
        runtime.spawn(async move { serve_by(clock, config, TcpListener::from_std(listener)?, CancellationToken::new()).await });
        self.channel = endpoint.connect().await.unwrap();
        self.clock = handle;
        Mortal(Some(runtime))
    }

    /// Another replica of the service, whose clock is ahead.
    pub(crate) async fn replica_ahead(&self, seconds: i64) -> Host {
        let ahead = self.clock.now() + SignedDuration::from_secs(seconds);
        start(&self.config, Clock::manual(ahead).0).await.0
    }
}
