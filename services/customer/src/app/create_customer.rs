//! A new customer. Two trips: the group and who else has the phone, then the write; one more for every 64 numbers.

use prost::Message;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call};
use crate::domain::customer::{AddressState, ContactMode, Contactability, Customer, CustomerKind, DataSource, Language, Personal};
use crate::events::publish;
use crate::store::customers::{find_group, insert_customer};

/// A customer to record.
#[derive(Debug, Clone)]
pub(crate) struct NewCustomer {
    pub(crate) kind: CustomerKind,
    pub(crate) home_estate_id: EstateId,
    pub(crate) personal: Personal,
    pub(crate) language: Language,
    pub(crate) contact_mode: ContactMode,
    pub(crate) source: DataSource,
}

/// A customer that was recorded, and others with the same phone that the caller may see.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) customer: Customer,
    pub(crate) same_phone: Vec<CustomerId>,
}

impl App {
    pub(crate) async fn create_customer<R: Message + Default>(&self, call: &Call<'_, Recorded, R>, new: NewCustomer) -> Result<R> {
        self.transact(call, "customer", None, || async {
            let now = self.clock.now();
            let scope = &call.access.scope;
            let estate = scope.estate(new.home_estate_id)?;
            let phone_index = new.personal.phone.as_ref().map(|phone| self.vault.phone_index(phone.expose()));
            let found = find_group(self.db.pool(), scope, estate, phone_index.as_deref(), now).await?;
            let (group, same_phone) = found.ok_or_else(|| Error::not_found("estate", estate.id()))?;
            let customer = Customer {
                id: CustomerId::new(),
                number: self.numbers.next().await?,
                kind: new.kind,
                group_id: group.into(),
                home_estate_id: estate.id(),
                personal: new.personal.clone(),
                language: new.language,
                contactability: Contactability {
                    phone_state: AddressState::Unknown,
                    email_state: AddressState::Unknown,
                    do_not_disturb: false,
                    contact_mode: new.contact_mode,
                },
                source: new.source,
                row_version: 1,
                create_time: now,
                update_time: now,
                erase_time: None,
            };
            let sealed = self.vault.seal(customer.id, None, &customer.personal)?;
            let events = vec![publish::customer_created(&customer, now)];
            let recorded = Recorded { customer, same_phone: same_phone.into_iter().map(CustomerId::from).collect() };
            let answer = (call.answer)(&recorded);
            let effects = Effects { claim: Some(self.claim(call, &answer)), events, timers: vec![] };
            let actor = &call.access.principal.subject;
            let written = insert_customer(self.db.pool(), &recorded.customer, &sealed, actor, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
