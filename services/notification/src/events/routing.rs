//! Facts of every service become messages, by rules and by the subscriptions of webhook endpoints.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::Effects;
use steward_kit_store::inbox::EventHandler;
use steward_proto::event::v1::Event;

use super::facts::event_descriptor;
use crate::app::App;

/// Routes events. Idempotent by itself: a message has the event, recipient and template as its key (NT-40).
pub(crate) struct Router(Arc<App>);

impl Router {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl EventHandler for Router {
    fn wants(&self, kind: &str) -> bool {
        event_descriptor(kind).is_some()
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        self.apply_all(tx, &[event], now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn apply_all(&self, tx: &mut PgConnection, events: &[&Event], now: Timestamp) -> Result<Effects> {
        self.0.route_events(tx, events, now).await
    }

    fn committed(&self) {
        self.0.wakes.inbox();
    }
}
