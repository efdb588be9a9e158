//! Facts of other services: which estates there are, and what became of our messages.

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::proto::timestamp;
use steward_kit_store::Effects;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::event::v1::Event;
use steward_proto::notification::v1 as notification;
use uuid::Uuid;

use crate::store::invitations::note_delivery;

/// What our messages are about, as notification repeats it.
const SUBJECT: &str = "invitation";

/// Keeps the estate directory.
pub(crate) struct DirectoryEvents {
    estates: EstateDirectory,
}

impl DirectoryEvents {
    pub(crate) fn new(estates: EstateDirectory) -> Self {
        Self { estates }
    }
}

#[tonic::async_trait]
impl EventHandler for DirectoryEvents {
    fn wants(&self, kind: &str) -> bool {
        EstateDirectory::wants(kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        self.estates.hear(tx, event, now).await?;
        Ok(Effects::none())
    }
}

/// Notes what became of the messages of invitations (SV-52).
pub(crate) struct DeliveryEvents;

#[tonic::async_trait]
impl EventHandler for DeliveryEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [
            notification::MessageDelivered::full_name(),
            notification::MessageRead::full_name(),
            notification::MessageFailed::full_name(),
            notification::MessageSuppressed::full_name(),
        ];
        wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        let (message, failure) = if kind == notification::MessageDelivered::full_name() {
            (payload::<notification::MessageDelivered>(event)?.message, None)
        } else if kind == notification::MessageRead::full_name() {
            (payload::<notification::MessageRead>(event)?.message, None)
        } else if kind == notification::MessageFailed::full_name() {
            (payload::<notification::MessageFailed>(event)?.message, Some("failed".to_owned()))
        } else {
            let fact: notification::MessageSuppressed = payload(event)?;
            let code = fact.reason().as_str_name().trim_start_matches("SUPPRESS_REASON_").to_lowercase();
            (fact.message, Some(code))
        };
        let about = message.filter(|message| message.subject_kind == SUBJECT).and_then(|message| Uuid::parse_str(&message.subject_id).ok());
        if let Some(invitation) = about {
            let time = event.occur_time.as_ref().and_then(timestamp).unwrap_or(now);
            note_delivery(tx, invitation, failure.as_deref(), time).await?;
        }
        Ok(Effects::none())
    }
}
