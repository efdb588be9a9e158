//! Facts of other services: which estates there are, what became of our messages, and which households are to be asked.

use std::sync::Arc;

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::proto::timestamp;
use steward_kit_store::Effects;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::care::v1 as care;
use steward_proto::event::v1::Event;
use steward_proto::notification::v1 as notification;
use uuid::Uuid;

use crate::app::{App, Asking};
use crate::domain::Subject;
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

/// What an answer is told with that a touchpoint of care asked for.
const TOUCHPOINT: &str = "touchpoint";

/// Asks the households that care says are to be asked (SV-27, SV-28). Without its questionnaire, or a programme that asks it, an event
/// is a dead letter that says so, and is redriven when they are there.
pub(crate) struct CareEvents(pub(crate) Arc<App>);

#[tonic::async_trait]
impl EventHandler for CareEvents {
    fn wants(&self, kind: &str) -> bool {
        kind == care::TouchpointSurveyDue::full_name()
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let fact: care::TouchpointSurveyDue = payload(event)?;
        let touchpoint = fact.touchpoint.unwrap_or_default();
        let mut bad = Violations::new();
        let (estate, household) = (bad.id("estate_id", &touchpoint.estate_id), bad.id("household_id", &touchpoint.household_id));
        let (unit, customer) = (bad.id("unit_id", &touchpoint.unit_id), bad.optional_id("customer_id", &touchpoint.customer_id));
        let asking = bad.build(|| {
            let (estate, household, unit) = (estate?, household?, unit?);
            let subject = Subject { kind: TOUCHPOINT.to_owned(), code: touchpoint.touchpoint_id };
            Some(Asking { estate, household, unit, customer, questionnaire: fact.questionnaire_code, subject })
        })?;
        self.0.ask_by_event(tx, &asking, now).await
    }
}
