//! A package that a customer gave up is an exit of theirs (CP-48): a value-added subscriber cancelled.

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::{Result, proto};
use steward_kit_store::Effects;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::care::v1 as care;
use steward_proto::event::v1::Event;

use crate::domain::exit::{Exit, ExitKind, ExitSource};
use crate::store::exits::note_exit;

/// Writes what care tells of subscriptions.
#[derive(Debug)]
pub(crate) struct Subscriptions;

#[tonic::async_trait]
impl EventHandler for Subscriptions {
    fn wants(&self, kind: &str) -> bool {
        kind == care::EnrolmentCancelled::full_name()
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let enrolment = payload::<care::EnrolmentCancelled>(event)?.enrolment.unwrap_or_default();
        let mut bad = Violations::new();
        let id = bad.id("id", &event.id);
        let estate_id = bad.id::<EstateId>("estate_id", &enrolment.estate_id);
        let customer_id = bad.optional_id::<CustomerId>("customer_id", &enrolment.customer_id);
        let exit_date = proto::date(&enrolment.end_date);
        let exit = bad.build(|| Some((id?, estate_id?)))?;
        // A household that named nobody has no customer to lose; one without a last day goes on.
        if let ((id, estate_id), Some(customer_id), Some(exit_date)) = (exit, customer_id, exit_date) {
            let (kind, source) = (ExitKind::SubscriptionCancelled, ExitSource::Care);
            let exit = Exit {
                id,
                estate_id,
                customer_id: Some(customer_id),
                kind,
                exit_date,
                tenure_id: None,
                cause_work_order_ids: Vec::new(),
                source,
                create_time: now,
            };
            note_exit(tx, &exit, "service.care").await?;
        }
        Ok(Effects::none())
    }
}
