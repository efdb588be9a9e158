//! `steward-notification`: what is said to customers, staff and other systems, and why, or why not.
//!
//! | room | what is in it |
//! |---|---|
//! | [`grpc`] | decode, ask, encode; one file per resource |
//! | [`app`] | one file per use case; RPCs, consumers and jobs call the same |
//! | [`domain`] | the rules, pure |
//! | [`store`] | SQL only |
//! | [`events`] | facts out and in |
//! | [`jobs`] | timers, deliverer, inbox sequencer, relay, housekeeping |
//! | [`channels`] | the ways out of the house: mail, signed calls |
//!
//! An event becomes messages by rules, which are data. Each message is judged (consent, preference, quiet hours), then
//! delivered by channels, attempt by attempt; every step is kept with it. A broadcast makes such messages for an audience, page by
//! page.

mod app;
mod channels;
mod config;
mod contact_document;
mod contract;
pub mod domain;
mod events;
mod grpc;
mod jobs;
mod rule_condition;
mod shipped;
mod store;

use std::time::Duration;

use steward_kit::client::Peer;
use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageTokens;
use steward_kit::server::Server;
use steward_kit_store::Db;
use steward_kit_store::inbox::{DeadLetters, dead_letter_service};
use steward_kit_store::jobs::JobSet;
use steward_kit_store::migrate::Migrations;
use steward_kit_store::policy::policy_service;
use steward_proto::customer::v1::audience_service_client::AudienceServiceClient;
use steward_proto::customer::v1::contact_service_client::ContactServiceClient;
use steward_proto::metric::v1::metric_service_server::MetricServiceServer;
use steward_proto::notification::v1::broadcast_service_server::BroadcastServiceServer;
use steward_proto::notification::v1::consent_service_server::ConsentServiceServer;
use steward_proto::notification::v1::contact_ledger_service_server::ContactLedgerServiceServer;
use steward_proto::notification::v1::delivery_service_server::DeliveryServiceServer;
use steward_proto::notification::v1::inbox_service_server::InboxServiceServer;
use steward_proto::notification::v1::message_service_server::MessageServiceServer;
use steward_proto::notification::v1::preference_service_server::PreferenceServiceServer;
use steward_proto::notification::v1::routing_rule_service_server::RoutingRuleServiceServer;
use steward_proto::notification::v1::template_service_server::TemplateServiceServer;
use steward_proto::notification::v1::webhook_endpoint_service_server::WebhookEndpointServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

/// The service's schema.
pub const SCHEMA: &str = "notification";

/// How long jobs may take to finish what is under way.
const JOBS_STOP_WITHIN: Duration = Duration::from_secs(10);

/// How long the customer service may take to say an address.
const CONTACT_DEADLINE: Duration = Duration::from_secs(5);

/// How long the customer service may take to list a thousand households.
const MEMBERS_DEADLINE: Duration = Duration::from_secs(20);

/// How long the mail server may take for one command.
const SMTP_TIMEOUT: Duration = Duration::from_secs(20);

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

    // The ways out.
    let identity = config.groups.identity()?;
    let customers = Peer::connect(&config.customer_url, CONTACT_DEADLINE, &identity)?;
    let ways = app::Ways {
        mailer: channels::mail::Mailer::new(&config.smtp_url, &config.mail_from, SMTP_TIMEOUT)?,
        caller: channels::webhook::Caller::new(channels::guard::Guard::new(config.allows_private_targets()))?,
        contacts: ContactServiceClient::new(customers.clone()),
        audience: AudienceServiceClient::new(customers),
        members: AudienceServiceClient::new(Peer::connect(&config.customer_url, MEMBERS_DEADLINE, &identity)?),
    };

    // The use cases, over the truth and its caches.
    let cipher = FieldCipher::new(config.groups.crypto.keyring()?);
    let pages = PageTokens::new(cipher.clone());
    let app = app::App::new(db, clock.clone(), cipher, shipped::Shipped::load()?, ways, i64::from(config.bulk_backlog));
    jobs::prepare(&app).await?;

    // Background work: ends after the last RPC, so that what an RPC wrote is still carried out.
    let jobs = JobSet::new(CancellationToken::new());
    jobs::start(&jobs, &app)?;

    // The edge.
    let letters = DeadLetters::new(app.db.clone(), clock.clone(), jobs::consumers(&app));
    let server = Server::new(&config.groups.server, config.groups.auth.verifier(&clock)?, config.groups.auth.roles()?)
        .add_service(dead_letter_service(letters, pages.clone()))
        .add_service(TemplateServiceServer::new(grpc::Templates::new(app.clone(), pages.clone())))
        .add_service(RoutingRuleServiceServer::new(grpc::RoutingRules::new(app.clone(), pages.clone())))
        .add_service(MessageServiceServer::new(grpc::Messages::new(app.clone(), pages.clone())))
        .add_service(BroadcastServiceServer::new(grpc::Broadcasts::new(app.clone(), pages.clone())))
        .add_service(InboxServiceServer::new(grpc::Inboxes::new(app.clone(), pages.clone(), shutdown.clone())))
        .add_service(PreferenceServiceServer::new(grpc::Preferences::new(app.clone())))
        .add_service(ConsentServiceServer::new(grpc::Consents::new(app.clone(), pages.clone())))
        .add_service(DeliveryServiceServer::new(grpc::Deliveries::new(app.clone(), pages.clone())))
        .add_service(ContactLedgerServiceServer::new(grpc::ContactLedger::new(app.clone(), pages.clone())))
        .add_service(MetricServiceServer::new(grpc::Metrics::new(app.clone(), pages.clone())))
        .add_service(policy_service(app.db.clone(), clock.clone(), pages.clone(), app::ContactRules))
        .add_service(WebhookEndpointServiceServer::new(grpc::WebhookEndpoints::new(app, pages)));
    tracing::info!(address = %listener.local_addr()?, movable_clock = clock.is_movable(), "notification serves");
    let served = server.serve(listener, shutdown).await;

    if !jobs.stop(JOBS_STOP_WITHIN).await {
        tracing::warn!("background jobs did not end in time; what they left is picked up by the next start");
    }
    served
}
