//! The edge: decode, ask the app, encode. Nothing here decides.

mod broadcasts;
mod consents;
mod contact_ledger;
mod deliveries;
mod inbox;
mod messages;
mod metrics;
mod preferences;
mod request;
mod routing_rules;
mod templates;
mod watch;
mod webhook_endpoints;

pub(crate) use broadcasts::Broadcasts;
pub(crate) use consents::Consents;
pub(crate) use contact_ledger::ContactLedger;
pub(crate) use deliveries::Deliveries;
pub(crate) use inbox::Inboxes;
pub(crate) use messages::Messages;
pub(crate) use metrics::Metrics;
pub(crate) use preferences::Preferences;
pub(crate) use routing_rules::RoutingRules;
pub(crate) use templates::Templates;
pub(crate) use webhook_endpoints::WebhookEndpoints;

/// What an RPC answers.
type Answer<T> = Result<tonic::Response<T>, tonic::Status>;
