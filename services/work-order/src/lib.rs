//! `steward-work-order`: repairs, complaints, requests and the promises made about them.
//!
//! | room | what is in it |
//! |---|---|
//! | [`grpc`] | decode, ask, encode; one file per resource |
//! | [`app`] | one file per use case; RPCs, consumers and jobs call the same |
//! | [`domain`] | the rules, pure |
//! | [`store`] | SQL only |
//! | [`events`] | facts out and in |
//! | [`jobs`] | timers, relay, housekeeping |

mod app;
mod config;
mod contract;
pub mod domain;
mod events;
mod grpc;
mod jobs;
mod store;

use std::time::Duration;

use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageTokens;
use steward_kit::server::Server;
use steward_kit_store::Db;
use steward_kit_store::inbox::{DeadLetters, dead_letter_service};
use steward_kit_store::jobs::JobSet;
use steward_kit_store::migrate::Migrations;
use steward_kit_store::policy::policy_service;
use steward_proto::metric::v1::metric_service_server::MetricServiceServer;
use steward_proto::work_order::v1::analysis_service_server::AnalysisServiceServer;
use steward_proto::work_order::v1::calendar_service_server::CalendarServiceServer;
use steward_proto::work_order::v1::clock_service_server::ClockServiceServer;
use steward_proto::work_order::v1::liability_service_server::LiabilityServiceServer;
use steward_proto::work_order::v1::lineage_service_server::LineageServiceServer;
use steward_proto::work_order::v1::order_job_service_server::OrderJobServiceServer;
use steward_proto::work_order::v1::quality_service_server::QualityServiceServer;
use steward_proto::work_order::v1::roster_service_server::RosterServiceServer;
use steward_proto::work_order::v1::work_order_service_server::WorkOrderServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

/// The service's schema.
pub const SCHEMA: &str = "work_order";

/// How long jobs may take to finish what is under way.
const JOBS_STOP_WITHIN: Duration = Duration::from_secs(10);

/// The tables of the service.
pub fn migrations() -> Migrations {
    Migrations::new(SCHEMA, sqlx::migrate!())
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

    // The use cases, over the truth and its caches.
    let cipher = FieldCipher::new(config.groups.crypto.keyring()?);
    let pages = PageTokens::new(cipher.clone());
    let identity = config.groups.identity()?;
    let units = config.customer_url.as_deref().map(|url| app::UnitOwner::at(url, &identity)).transpose()?;
    let app = app::App::new(db, clock.clone(), cipher, units);

    // Background work: ends after the last RPC, so that what an RPC wrote is still carried out.
    let jobs = JobSet::new(CancellationToken::new());
    jobs::start(&jobs, &app).await?;

    // The edge.
    let letters = DeadLetters::new(app.db.clone(), clock.clone(), jobs::consumers(&app));
    let server = Server::new(&config.groups.server, config.groups.auth.verifier(&clock)?, config.groups.auth.roles()?)
        .add_service(dead_letter_service(letters, pages.clone()))
        .add_service(WorkOrderServiceServer::new(grpc::WorkOrders::new(app.clone(), pages.clone(), shutdown.clone())))
        .add_service(policy_service(app.db.clone(), clock.clone(), pages.clone(), app::OwnPolicies))
        .add_service(MetricServiceServer::new(grpc::Metrics::new(app.clone(), pages.clone())))
        .add_service(ClockServiceServer::new(grpc::Clocks::new(app.clone(), pages.clone(), shutdown.clone())))
        .add_service(RosterServiceServer::new(grpc::Roster::new(app.clone(), pages.clone())))
        .add_service(AnalysisServiceServer::new(grpc::Analysis::new(app.clone(), pages.clone())))
        .add_service(LineageServiceServer::new(grpc::Lineages::new(app.clone(), pages.clone())))
        .add_service(OrderJobServiceServer::new(grpc::OrderJobs::new(app.clone(), pages.clone())))
        .add_service(LiabilityServiceServer::new(grpc::Liabilities::new(app.clone())))
        .add_service(QualityServiceServer::new(grpc::Quality::new(app.clone(), pages.clone())))
        .add_service(CalendarServiceServer::new(grpc::Calendars::new(app, pages)));
    tracing::info!(address = %listener.local_addr()?, movable_clock = clock.is_movable(), "work-order serves");
    let served = server.serve(listener, shutdown).await;

    if !jobs.stop(JOBS_STOP_WITHIN).await {
        tracing::warn!("background jobs did not end in time; what they left is picked up by the next start");
    }
    served
}
