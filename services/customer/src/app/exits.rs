//! Who left, and why (CP-48). A mutation two or three trips: the estate, the customer, the write.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call};
use crate::domain::exit::{Exit, ExitKind, ExitSource};
use crate::domain::ids::ExitId;
use crate::store::customers::find_customer;
use crate::store::exits::{ExitCursor, insert_exit, list_exits};

/// An exit to record.
#[derive(Debug, Clone)]
pub(crate) struct NewExit {
    pub(crate) estate_id: EstateId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) kind: ExitKind,
    pub(crate) exit_date: Date,
    pub(crate) cause_work_order_ids: Vec<WorkOrderId>,
}

impl App {
    pub(crate) async fn record_exit<R: Message + Default>(&self, call: &Call<'_, Exit, R>, new: NewExit) -> Result<R> {
        self.transact(call, "estate", None, || async {
            let (now, scope) = (self.clock.now(), &call.access.scope);
            let estate = scope.estate(new.estate_id)?.id();
            let exit = Exit {
                id: ExitId::new(),
                estate_id: estate,
                customer_id: new.customer_id,
                kind: new.kind,
                exit_date: new.exit_date,
                tenure_id: None,
                cause_work_order_ids: new.cause_work_order_ids.clone(),
                source: ExitSource::Staff,
                create_time: now,
            };
            let exit = exit.checked()?;
            if let Some(id) = exit.customer_id {
                let found = find_customer(self.db.pool(), &self.vault, scope, id, now).await?;
                found.ok_or_else(|| Error::not_found("customer", id))?;
            }
            let answer = (call.answer)(&exit);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = insert_exit(self.db.pool(), &exit, &call.access.principal.subject, effects.json(now)).await;
            match self.written(answer, &effects, written)? {
                Some(answer) => Ok(Some(answer)),
                None => Err(Error::not_found("estate", estate)),
            }
        })
        .await
    }

    pub(crate) async fn list_exits(&self, access: &Access, estate: EstateId, page: &PageRequest<ExitCursor>) -> Result<Vec<Exit>> {
        list_exits(self.db.pool(), access.scope.estate(estate)?, page).await
    }
}
