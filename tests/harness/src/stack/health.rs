//! Asking a service how it is, over gRPC's own health protocol.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use steward_dev::process::ProcessTable;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// How a service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It takes calls.
    Serving,
    /// It answers, and says that it takes no calls.
    NotServing,
    /// It does not answer.
    Silent,
}

/// Asks once.
pub(super) async fn ask(port: u16) -> Health {
    const PATIENCE: Duration = Duration::from_secs(2);
    let Ok(endpoint) = Endpoint::from_shared(format!("http://127.0.0.1:{port}")) else { return Health::Silent };
    let Ok(channel) = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).connect().await else { return Health::Silent };
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await;
    match answer {
        Ok(response) if response.get_ref().status() == ServingStatus::Serving => Health::Serving,
        Ok(_) => Health::NotServing,
        Err(_) => Health::Silent,
    }
}

/// Waits until the service takes calls; fails at once when its process ends.
pub async fn wait(processes: &ProcessTable, name: &str, port: u16, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        if ask(port).await == Health::Serving {
            return Ok(());
        }
        if processes.alive(name).is_none() {
            bail!("{name} ended while it started");
        }
        if begun.elapsed() > patience {
            bail!("{name} does not serve after {} s", patience.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
