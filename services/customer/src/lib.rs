//! `steward-customer`: who lives, works and owns where.
//!
//! | room | what is in it |
//! |---|---|
//! | `grpc` | the edge: decode, ask the app, encode |
//! | `app` | use cases, one file each |
//! | [`domain`] | rules: no async, no SQL, no proto |
//! | `store` | SQL only |
//! | `events` | facts that leave, and those that arrive |
//! | `jobs` | imports that go on by themselves, facts that are kept true, figures counted ahead |

mod app;
pub mod config;
mod contract;
pub mod domain;
mod events;
mod grpc;
mod jobs;
mod store;

use std::time::Duration;

use steward_kit::clock::Clock;
use steward_kit::server::Server;
use steward_kit_store::migrate::Migrations;
use steward_kit_store::{Db, JobSet};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

/// The service's schema.
pub const SCHEMA: &str = "customer";

/// How long jobs may take to finish what is under way.
const JOBS_STOP_WITHIN: Duration = Duration::from_secs(10);

/// The tables of the service. The estates are its own, so the mechanisms' copy of them is left out.
pub fn migrations() -> Migrations {
    Migrations::new(SCHEMA, sqlx::migrate!()).without_estate_directory()
}

/// Runs the service on `listener` until `shutdown`, by the clock of its configuration.
///
/// # Errors
/// The database does not answer or is behind this binary; a file of the configuration does not read; the listener fails.
pub async fn serve(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock = config.groups.clock.clock()?;
    serve_by(clock, config, listener, shutdown).await
}

/// [`serve`] by a given clock, for tests that move it.
///
/// # Errors
/// As [`serve`].
pub async fn serve_by(clock: Clock, config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    // The truth, and whether it has the shape that this binary knows.
    let db = Db::connect(&config.groups.store, SCHEMA).await?;
    migrations().check(db.pool()).await?;

    // The use cases.
    let app = app::App::new(db, clock.clone(), domain::vault::Vault::new(config.groups.crypto.keyring()?));

    // Background work: ends after the last RPC, so that what an RPC wrote is still carried out.
    let jobs = JobSet::new(CancellationToken::new());
    jobs::start(&jobs, &app).await?;

    // The edge.
    let server = Server::new(&config.groups.server, config.groups.auth.verifier(&clock)?, config.groups.auth.roles()?);
    let server = grpc::add_services(server, &app, &shutdown);
    tracing::info!(address = %listener.local_addr()?, movable_clock = clock.is_movable(), "customer serves");
    let served = server.serve(listener, shutdown).await;

    if !jobs.stop(JOBS_STOP_WITHIN).await {
        tracing::warn!("background jobs did not end in time; what they left is picked up by the next start");
    }
    served
}
