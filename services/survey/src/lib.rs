//! `steward-survey`: questionnaires, waves, answers and what they say; and what the group does about it.
//!
//! | room | what is in it |
//! |---|---|
//! | [`grpc`] | decode, ask, encode; one file per resource |
//! | [`app`] | use cases; RPCs, consumers and jobs call the same |
//! | [`domain`] | the rules, pure |
//! | [`store`] | SQL only |
//! | [`events`] | facts out and in |
//! | [`jobs`] | timers, framer, reporter, figures ahead, relay, housekeeping |
//!
//! Anonymity is structure: `app/blind.rs` says how an answer is taken without a key that leads to its household.

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
use steward_kit::crypto::{BlindIndex, FieldCipher};
use steward_kit::paging::PageTokens;
use steward_kit::server::Server;
use steward_kit_store::Db;
use steward_kit_store::inbox::{DeadLetters, dead_letter_service};
use steward_kit_store::jobs::JobSet;
use steward_kit_store::migrate::Migrations;
use steward_kit_store::policy::policy_service;
use steward_proto::metric::v1::metric_service_server::MetricServiceServer;
use steward_proto::survey::v1::feedback_service_server::FeedbackServiceServer;
use steward_proto::survey::v1::improvement_service_server::ImprovementServiceServer;
use steward_proto::survey::v1::mystery_visit_service_server::MysteryVisitServiceServer;
use steward_proto::survey::v1::programme_service_server::ProgrammeServiceServer;
use steward_proto::survey::v1::questionnaire_service_server::QuestionnaireServiceServer;
use steward_proto::survey::v1::report_service_server::ReportServiceServer;
use steward_proto::survey::v1::response_service_server::ResponseServiceServer;
use steward_proto::survey::v1::result_service_server::ResultServiceServer;
use steward_proto::survey::v1::session_service_server::SessionServiceServer;
use steward_proto::survey::v1::wave_service_server::WaveServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

/// The service's schema.
pub const SCHEMA: &str = "survey";

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
    let keyring = config.groups.crypto.keyring()?;
    let (marks, cipher) = (BlindIndex::new(&keyring), FieldCipher::new(keyring));
    let pages = PageTokens::new(cipher.clone());
    let peers = app::Peers::at(&config.customer_url, &config.notification_url, &config.groups.identity()?)?;
    let app = app::App::new(db, clock.clone(), cipher, marks, peers);

    // Background work: ends after the last RPC, so that what an RPC wrote is still carried out.
    let jobs = JobSet::new(CancellationToken::new());
    jobs::start(&jobs, &app).await?;

    // The edge.
    let letters = DeadLetters::new(app.db.clone(), clock.clone(), jobs::consumers(&app));
    let server = Server::new(&config.groups.server, config.groups.auth.verifier(&clock)?, config.groups.auth.roles()?)
        .add_service(dead_letter_service(letters, pages.clone()))
        .add_service(policy_service(app.db.clone(), clock.clone(), pages.clone(), app::OwnPolicies))
        .add_service(MetricServiceServer::new(grpc::Metrics::new(app.clone(), pages.clone())))
        .add_service(QuestionnaireServiceServer::new(grpc::Questionnaires::new(app.clone(), pages.clone())))
        .add_service(ProgrammeServiceServer::new(grpc::Programmes::new(app.clone(), pages.clone())))
        .add_service(WaveServiceServer::new(grpc::Waves::new(app.clone(), pages.clone(), shutdown.clone())))
        .add_service(ResponseServiceServer::new(grpc::Responses::new(app.clone(), pages.clone())))
        .add_service(ResultServiceServer::new(grpc::Results::new(app.clone(), pages.clone())))
        .add_service(SessionServiceServer::new(grpc::Sessions::new(app.clone(), pages.clone())))
        .add_service(FeedbackServiceServer::new(grpc::Feedback::new(app.clone(), pages.clone())))
        .add_service(ImprovementServiceServer::new(grpc::Improvements::new(app.clone(), pages.clone())))
        .add_service(MysteryVisitServiceServer::new(grpc::MysteryVisits::new(app.clone(), pages.clone())))
        .add_service(ReportServiceServer::new(grpc::Reports::new(app, pages)));
    tracing::info!(address = %listener.local_addr()?, movable_clock = clock.is_movable(), "survey serves");
    let served = server.serve(listener, shutdown).await;

    if !jobs.stop(JOBS_STOP_WITHIN).await {
        tracing::warn!("background jobs did not end in time; what they left is picked up by the next start");
    }
    served
}
