//! Changes of a customer, with the audit of what changed (CP-54). Two trips.

use jiff::Timestamp;
use prost::Message;
use serde_json::{Map, Value, json};
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::customer::{Customer, CustomerChange, PersonalField};
use crate::domain::identity::normalised_id_number;
use crate::domain::ids::AuditId;
use crate::domain::vault::Fingerprints;
use crate::events::publish;
use crate::store::audit::{self, Actor};
use crate::store::customers::{find_customer, update_customer};

impl App {
    pub(crate) async fn update_customer<R: Message + Default>(
        &self,
        call: &Call<'_, Customer, R>,
        target: Target<CustomerId>,
        change: CustomerChange,
    ) -> Result<R> {
        self.transact(call, "customer", target.etag, || async {
            let now = self.clock.now();
            let before = find_customer(self.db.pool(), &self.vault, &call.access.scope, target.id, now).await?;
            let before = before.ok_or_else(|| Error::not_found("customer", target.id))?;
            target.check("customer", before.customer.row_version)?;
            before.customer.check_not_erased()?;
            let change = spelled(&before.customer, change.clone())?;
            let (after, fields) = before.customer.changed(change, now);
            let sealed = self.vault.seal(after.id, before.data_key.as_deref(), &after.personal)?;
            let principal = &call.access.principal;
            let actor = Actor { subject: &principal.subject, kind: principal.kind.as_str() };
            let prints = self.vault.fingerprints(after.id, sealed.data_key.as_deref())?;
            let audit = change_entry(&prints, &before.customer, &after, &fields, &actor, now);
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::customer_updated(&after, &fields, now)], timers: vec![] };
            let written = update_customer(self.db.pool(), &after, &sealed, json!([audit]), effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}

/// An identity number has one spelling, which depends on the kind of customer.
fn spelled(customer: &Customer, mut change: CustomerChange) -> Result<CustomerChange> {
    if let Some(Some(number)) = &change.id_number {
        let number = normalised_id_number(customer.kind, number.expose());
        let number = number.ok_or_else(|| Error::invalid("id_number", "ID_NUMBER_INVALID", "must have a right check digit"))?;
        change.id_number = Some(Some(number.into()));
    }
    Ok(change)
}

/// Which fields changed, with hashes of personal values before and after that only the person's own key can make.
pub(super) fn change_entry(
    prints: &Fingerprints,
    before: &Customer,
    after: &Customer,
    fields: &[&str],
    actor: &Actor<'_>,
    now: Timestamp,
) -> Value {
    let changes: Map<String, Value> = fields
        .iter()
        .map(|name| {
            let hashes = PersonalField::parse(name).map(|field| {
                let print = |customer: &Customer| prints.of(field, customer.personal.get(field));
                json!({ "before": print(before), "after": print(after) })
            });
            ((*name).to_owned(), hashes.unwrap_or_else(|| json!({})))
        })
        .collect();
    let details = Map::from_iter([("changes".to_owned(), Value::Object(changes)), ("row_version".to_owned(), json!(after.row_version))]);
    audit::entry(AuditId::new(), "change", after.id, actor, now, details)
}
