//! A new tenure. Three trips: the unit, the customer, the write.

use jiff::civil::Date;
use prost::Message;
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call};
use crate::contract::tenure_source;
use crate::domain::ids::TenureId;
use crate::domain::tenure::{Tenure, TenureRole, reversed};
use crate::events::publish;
use crate::store::customers::find_customer;
use crate::store::tenures::{ShownTenure, insert_tenure};
use crate::store::units::find_unit;

/// A tenure to start.
#[derive(Debug, Clone)]
pub(crate) struct NewTenure {
    pub(crate) unit_id: UnitId,
    pub(crate) customer_id: CustomerId,
    pub(crate) role: TenureRole,
    pub(crate) from_date: Date,
    pub(crate) to_date: Option<Date>,
}

impl App {
    pub(crate) async fn create_tenure<R: Message + Default>(&self, call: &Call<'_, ShownTenure, R>, new: NewTenure) -> Result<R> {
        if new.to_date.is_some_and(|to_date| to_date < new.from_date) {
            return Err(reversed());
        }
        self.transact(call, "tenure", None, || async {
            let (now, scope) = (self.clock.now(), &call.access.scope);
            let unit = find_unit(self.db.pool(), scope, new.unit_id, now).await?;
            let unit = unit.ok_or_else(|| Error::not_found("unit", new.unit_id))?;
            let customer = find_customer(self.db.pool(), &self.vault, scope, new.customer_id, now).await?;
            let customer = customer.ok_or_else(|| Error::not_found("customer", new.customer_id))?.customer;
            customer.check_not_erased()?;
            let tenure = Tenure {
                id: TenureId::new(),
                estate_id: unit.estate_id,
                unit_id: unit.id,
                customer_id: customer.id,
                role: new.role,
                from_date: new.from_date,
                to_date: new.to_date,
                source: tenure_source(call.access.principal.kind),
                row_version: 1,
                create_time: now,
                update_time: now,
            };
            let events = vec![publish::tenure_started(&tenure, now)];
            let customer_name = customer.personal.masked(customer.kind).name;
            let shown = ShownTenure { unit_full_code: unit.full_code(), customer_name, time_zone: String::new(), tenure };
            let answer = (call.answer)(&shown);
            let effects = Effects { claim: Some(self.claim(call, &answer)), events, timers: vec![] };
            let written = insert_tenure(self.db.pool(), &shown.tenure, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
