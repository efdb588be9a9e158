//! Facts of the customer service: which estates there are, and whom messages may go to.

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit_store::Effects;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::customer::v1 as customer;
use steward_proto::event::v1::Event;

use crate::store::customers::{CustomerRecord, put_customer, put_customer_estate};
use crate::store::erasure::forget_customer;

/// Keeps the estate directory and what is known of customers.
pub(crate) struct CustomerEvents {
    estates: EstateDirectory,
}

impl CustomerEvents {
    pub(crate) fn new(estates: EstateDirectory) -> Self {
        Self { estates }
    }
}

#[tonic::async_trait]
impl EventHandler for CustomerEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [
            customer::CustomerCreated::full_name(),
            customer::CustomerUpdated::full_name(),
            customer::CustomerErased::full_name(),
            customer::TenureStarted::full_name(),
        ];
        EstateDirectory::wants(kind) || wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        self.estates.hear(tx, event, now).await?;
        if kind == customer::CustomerCreated::full_name() {
            let fact: customer::CustomerCreated = payload(event)?;
            let record = record(&fact.customer_id, &fact.home_estate_id, fact.preferred_language, fact.contactability)?;
            put_customer(tx, &record, now).await?;
        } else if kind == customer::CustomerUpdated::full_name() {
            let fact: customer::CustomerUpdated = payload(event)?;
            let record = record(&fact.customer_id, &fact.home_estate_id, fact.preferred_language, fact.contactability)?;
            put_customer(tx, &record, now).await?;
        } else if kind == customer::CustomerErased::full_name() {
            let fact: customer::CustomerErased = payload(event)?;
            let mut bad = Violations::new();
            let customer = bad.id::<CustomerId>("customer_id", &fact.customer_id);
            forget_customer(tx, bad.build(|| customer)?, now).await?;
        } else if kind == customer::TenureStarted::full_name() {
            let fact: customer::TenureStarted = payload(event)?;
            let mut bad = Violations::new();
            let customer = bad.id::<CustomerId>("customer_id", &fact.customer_id);
            let estate = bad.id::<EstateId>("estate_id", &fact.estate_id);
            let (customer, estate) = bad.build(|| Some((customer?, estate?)))?;
            put_customer_estate(tx, customer, estate, now).await?;
        }
        Ok(Effects::none())
    }
}

fn record(id: &str, home_estate: &str, preferred_language: String, contact: Option<customer::Contactability>) -> Result<CustomerRecord> {
    let mut bad = Violations::new();
    let (id, home_estate) = (bad.id("customer_id", id), bad.id("home_estate_id", home_estate));
    let contact = contact.unwrap_or_default();
    let email_invalid = contact.email_state() == customer::AddressState::Invalid;
    bad.build(|| {
        Some(CustomerRecord {
            id: id?,
            home_estate: home_estate?,
            preferred_language,
            do_not_disturb: contact.do_not_disturb,
            email_invalid,
        })
    })
}
