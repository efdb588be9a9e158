//! The last day of a tenure. Two trips.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message;
use steward_kit::paging::{PageRequest, PageSize};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::ids::TenureId;
use crate::events::publish;
use crate::store::tenures::{ShownTenure, TenureFilter, list_tenures, update_tenure};

impl App {
    pub(crate) async fn end_tenure<R: Message + Default>(
        &self,
        call: &Call<'_, ShownTenure, R>,
        target: Target<TenureId>,
        to_date: Date,
    ) -> Result<R> {
        self.transact(call, "tenure", target.etag, || async {
            let now = self.clock.now();
            let filter = TenureFilter { id: Some(target.id), ..TenureFilter::default() };
            let one = PageRequest { size: PageSize::of(1)?, after: None };
            let found = list_tenures(self.db.pool(), &self.vault, &call.access.scope, &filter, &one, now).await?.pop();
            let before = found.ok_or_else(|| Error::not_found("tenure", target.id))?;
            target.check("tenure", before.tenure.row_version)?;
            let zone = TimeZone::get(&before.time_zone).map_err(Error::internal)?;
            let tenure = before.tenure.ended(to_date, now.to_zoned(zone).date(), now)?;
            let after = ShownTenure { tenure, ..before };
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::tenure_ended(&after.tenure, now)], timers: vec![] };
            let written = update_tenure(self.db.pool(), &after.tenure, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
