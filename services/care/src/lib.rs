//! `steward-care`: programmes of care and their touchpoints, visits, obligations, forums, handover, what is planned for a year; community
//! activities, the care fund, gifts and materials, packages of services.
//!
//! | room | what is in it |
//! |---|---|
//! | [`grpc`] | decode, ask, encode; one file per gRPC service |
//! | [`app`] | use cases; RPCs, consumers, timers and workers call the same |
//! | [`domain`] | the rules, pure |
//! | [`store`] | SQL only |
//! | [`events`] | facts out and in |
//! | [`jobs`] | timers, worker, relay, housekeeping |
//!
//! A programme is data: anchor, offset, audience, exclusions, action, proof. The planner makes touchpoints of it, each exactly once; a
//! timer finds them due; exclusions are asked once more at the moment of acting. No number of a plan is in code: the care policy of the
//! estate has them.

mod app;
mod config;
mod contract;
pub mod domain;
mod events;
mod grpc;
mod jobs;
mod policies;
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
use steward_proto::care::v1::activity_service_server::ActivityServiceServer;
use steward_proto::care::v1::annual_plan_service_server::AnnualPlanServiceServer;
use steward_proto::care::v1::care_fund_service_server::CareFundServiceServer;
use steward_proto::care::v1::delivery_batch_service_server::DeliveryBatchServiceServer;
use steward_proto::care::v1::forum_service_server::ForumServiceServer;
use steward_proto::care::v1::obligation_service_server::ObligationServiceServer;
use steward_proto::care::v1::parcel_service_server::ParcelServiceServer;
use steward_proto::care::v1::programme_service_server::ProgrammeServiceServer;
use steward_proto::care::v1::relationship_service_server::RelationshipServiceServer;
use steward_proto::care::v1::service_package_service_server::ServicePackageServiceServer;
use steward_proto::care::v1::stock_service_server::StockServiceServer;
use steward_proto::care::v1::touchpoint_service_server::TouchpointServiceServer;
use steward_proto::care::v1::visit_round_service_server::VisitRoundServiceServer;
use steward_proto::care::v1::visit_service_server::VisitServiceServer;
use steward_proto::metric::v1::metric_service_server::MetricServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

/// The service's schema.
pub const SCHEMA: &str = "care";

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

    // The use cases, over the truth, its caches and the owner of facts.
    let cipher = FieldCipher::new(config.groups.crypto.keyring()?);
    let pages = PageTokens::new(cipher.clone());
    let audience = app::Audience::at(&config.customer_url, &config.groups.identity()?)?;
    let app = app::App::new(db, clock.clone(), cipher, audience);

    // Background work: ends after the last RPC, so that what an RPC wrote is still carried out.
    let jobs = JobSet::new(CancellationToken::new());
    jobs::start(&jobs, &app).await?;

    // The edge.
    let letters = DeadLetters::new(app.db.clone(), clock.clone(), jobs::consumers(&app));
    let edge = grpc::Edge::new(app.clone(), pages.clone());
    let server = Server::new(&config.groups.server, config.groups.auth.verifier(&clock)?, config.groups.auth.roles()?)
        .add_service(dead_letter_service(letters, pages.clone()))
        .add_service(policy_service(app.db.clone(), clock.clone(), pages, policies::OwnPolicies))
        .add_service(ProgrammeServiceServer::new(edge.clone()))
        .add_service(TouchpointServiceServer::new(edge.clone()))
        .add_service(VisitRoundServiceServer::new(edge.clone()))
        .add_service(VisitServiceServer::new(edge.clone()))
        .add_service(RelationshipServiceServer::new(edge.clone()))
        .add_service(ObligationServiceServer::new(edge.clone()))
        .add_service(ForumServiceServer::new(edge.clone()))
        .add_service(DeliveryBatchServiceServer::new(edge.clone()))
        .add_service(AnnualPlanServiceServer::new(edge.clone()))
        .add_service(ActivityServiceServer::new(edge.clone()))
        .add_service(CareFundServiceServer::new(edge.clone()))
        .add_service(StockServiceServer::new(edge.clone()))
        .add_service(ServicePackageServiceServer::new(edge.clone()))
        .add_service(ParcelServiceServer::new(edge.clone()))
        .add_service(MetricServiceServer::new(edge));
    tracing::info!(address = %listener.local_addr()?, movable_clock = clock.is_movable(), "care serves");
    let served = server.serve(listener, shutdown).await;

    if !jobs.stop(JOBS_STOP_WITHIN).await {
        tracing::warn!("background jobs did not end in time; what they left is picked up by the next start");
    }
    served
}
