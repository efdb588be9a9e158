//! Changes of an estate. Two trips.

use prost::Message;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::estate::{Estate, EstateChange};
use crate::events::publish;
use crate::store::estates::{find_estate, update_estate};

impl App {
    pub(crate) async fn update_estate<R: Message + Default>(
        &self,
        call: &Call<'_, Estate, R>,
        target: Target<EstateId>,
        change: EstateChange,
    ) -> Result<R> {
        self.transact(call, "estate", target.etag, || async {
            let now = self.clock.now();
            let estate = call.access.scope.estate(target.id)?;
            let before = find_estate(self.db.pool(), estate).await?.ok_or_else(|| Error::not_found("estate", target.id))?;
            target.check("estate", before.row_version)?;
            let after = before.changed(change.clone(), now);
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::estate_updated(&after, now)], timers: vec![] };
            let written = update_estate(self.db.pool(), &after, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
