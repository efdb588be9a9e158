//! Changes of a unit. Two trips.

use prost::Message;
use steward_kit::ids::UnitId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::unit::{Unit, UnitChange};
use crate::events::publish;
use crate::store::units::{find_unit, update_unit};

impl App {
    pub(crate) async fn update_unit<R: Message + Default>(
        &self,
        call: &Call<'_, Unit, R>,
        target: Target<UnitId>,
        change: UnitChange,
    ) -> Result<R> {
        self.transact(call, "unit", target.etag, || async {
            let now = self.clock.now();
            let before = find_unit(self.db.pool(), &call.access.scope, target.id, now).await?;
            let before = before.ok_or_else(|| Error::not_found("unit", target.id))?;
            target.check("unit", before.row_version)?;
            let after = before.changed(change.clone(), now);
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::unit_updated(&after, now)], timers: vec![] };
            let written = update_unit(self.db.pool(), &after, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
