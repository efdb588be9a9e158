//! A person's key, sealed data and indexes are destroyed; what they did stays as statistics (CP-50, CP-51). Three trips: the
//! customer, their tenures, the write.

use prost::Message;
use serde_json::{Map, json};
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::customer::{Customer, ErasureBasis};
use crate::domain::ids::AuditId;
use crate::events::publish;
use crate::store::audit::{self, Actor};
use crate::store::customers::{erase_customer, find_customer, lives_on};

/// On what ground, and why.
#[derive(Debug, Clone)]
pub(crate) struct Erasure {
    pub(crate) basis: ErasureBasis,
    /// In words.
    pub(crate) reason: String,
}

impl App {
    pub(crate) async fn erase_customer<R: Message + Default>(
        &self,
        call: &Call<'_, Customer, R>,
        target: Target<CustomerId>,
        erasure: &Erasure,
    ) -> Result<R> {
        self.transact(call, "customer", target.etag, || async {
            let now = self.clock.now();
            let before = find_customer(self.db.pool(), &self.vault, &call.access.scope, target.id, now).await?;
            let before = before.ok_or_else(|| Error::not_found("customer", target.id))?.customer;
            target.check("customer", before.row_version)?;
            before.check_not_erased()?;
            if lives_on(self.db.pool(), before.id, now).await? {
                return Err(before.tenure_open());
            }
            let after = before.erased(now);
            let details = Map::from_iter([
                ("basis".to_owned(), json!(erasure.basis.as_str())),
                ("reason".to_owned(), json!(erasure.reason)),
                ("row_version".to_owned(), json!(after.row_version)),
            ]);
            let principal = &call.access.principal;
            let actor = Actor { subject: &principal.subject, kind: principal.kind.as_str() };
            let audit = audit::entry(AuditId::new(), "erase", after.id, &actor, now, details);
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::customer_erased(&after, erasure.basis, now)], timers: vec![] };
            let written = erase_customer(self.db.pool(), &after, json!([audit]), effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
