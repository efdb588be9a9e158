//! The last day of a tenure. Two trips.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message;
use steward_kit::paging::{PageRequest, PageSize};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::exit::{Exit, ExitKind, ExitSource};
use crate::domain::ids::{ExitId, TenureId};
use crate::events::publish;
use crate::store::tenures::{ShownTenure, TenureFilter, list_tenures, update_tenure};

/// How a tenure ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TenureEnd {
    /// Its last local day.
    pub(crate) to_date: Date,
    /// Why the customer leaves with it; `None` when they do not, or nobody knows.
    pub(crate) exit_kind: Option<ExitKind>,
}

impl App {
    pub(crate) async fn end_tenure<R: Message + Default>(
        &self,
        call: &Call<'_, ShownTenure, R>,
        target: Target<TenureId>,
        end: TenureEnd,
    ) -> Result<R> {
        self.transact(call, "tenure", target.etag, || async {
            let now = self.clock.now();
            let filter = TenureFilter { id: Some(target.id), ..TenureFilter::default() };
            let one = PageRequest { size: PageSize::of(1)?, after: None };
            let found = list_tenures(self.db.pool(), &self.vault, &call.access.scope, &filter, &one, now).await?.pop();
            let before = found.ok_or_else(|| Error::not_found("tenure", target.id))?;
            target.check("tenure", before.tenure.row_version)?;
            let zone = TimeZone::get(&before.time_zone).map_err(Error::internal)?;
            let tenure = before.tenure.ended(end.to_date, now.to_zoned(zone).date(), now)?;
            let after = ShownTenure { tenure, ..before };
            let exit = end.exit_kind.map(|kind| Exit {
                id: ExitId::new(),
                estate_id: after.tenure.estate_id,
                customer_id: Some(after.tenure.customer_id),
                kind,
                exit_date: end.to_date,
                tenure_id: Some(after.tenure.id),
                cause_work_order_ids: Vec::new(),
                source: ExitSource::Tenure,
                create_time: now,
            });
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::tenure_ended(&after.tenure, now)], timers: vec![] };
            let by = &call.access.principal.subject;
            let written = update_tenure(self.db.pool(), &after.tenure, exit.as_ref(), by, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
