//! Addresses in plain for the services that send, audited per message. One trip.

use serde_json::{Map, json};
use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, MessageId};
use steward_kit::{Error, Result};

use super::App;
use crate::domain::customer::{AddressState, Customer, PersonalField};
use crate::domain::ids::AuditId;
use crate::store::audit::{self, Actor};
use crate::store::customers::reveal_customer;

/// Whom to reach, and what for.
#[derive(Debug)]
pub(crate) struct ContactRequest {
    pub(crate) customer_id: CustomerId,
    /// Code of the purpose.
    pub(crate) purpose: String,
    pub(crate) message_id: MessageId,
    pub(crate) fields: Vec<PersonalField>,
}

/// How to reach a customer.
#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) customer: Customer,
}

impl Contact {
    /// An address, unless it is known to be wrong.
    pub(crate) fn get(&self, field: PersonalField) -> Option<&str> {
        let contactability = self.customer.contactability;
        let known_wrong = match field {
            PersonalField::Phone => contactability.phone_state == AddressState::Invalid,
            PersonalField::Email => contactability.email_state == AddressState::Invalid,
            PersonalField::Name | PersonalField::IdNumber | PersonalField::Address => false,
        };
        self.customer.personal.get(field).filter(|_| !known_wrong)
    }
}

impl App {
    pub(crate) async fn resolve_contact(&self, access: &Access, request: &ContactRequest) -> Result<Contact> {
        let now = self.clock.now();
        let fields: Vec<&str> = request.fields.iter().map(|field| field.as_str()).collect();
        let details = Map::from_iter([
            ("purpose".to_owned(), json!(request.purpose)),
            ("message_id".to_owned(), json!(request.message_id)),
            ("fields".to_owned(), json!(fields)),
        ]);
        let actor = Actor { subject: &access.principal.subject, kind: access.principal.kind.as_str() };
        let entry = audit::entry(AuditId::new(), "contact", request.customer_id, &actor, now, details);
        let found = reveal_customer(self.db.pool(), &self.vault, &access.scope, request.customer_id, json!([entry]), now).await?;
        let stored = found.ok_or_else(|| Error::not_found("customer", request.customer_id))?;
        Ok(Contact { customer: stored.customer })
    }
}
