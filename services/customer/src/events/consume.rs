//! Facts that arrive: each one that concerns a customer or a unit is an entry of the timeline (CP-37).

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId, UnitId};
use steward_kit::{Error, Result, proto};
use steward_kit_store::Effects;
use steward_kit_store::inbox::EventHandler;
use steward_proto::event::v1::Event;

use super::titles::{Told, told};
use crate::domain::timeline::TimelineEntry;
use crate::store::timeline::insert_entry;

/// Writes the timeline.
#[derive(Debug)]
pub(crate) struct Timeline;

#[tonic::async_trait]
impl EventHandler for Timeline {
    fn wants(&self, kind: &str) -> bool {
        super::titles::WANTED.contains(&kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let payload = event.payload.as_ref().ok_or_else(|| Error::bug("an event without a payload"))?;
        let told = told(&event.r#type, &payload.value).map_err(Error::internal)?;
        if let Some(told) = told
            && let Some(entry) = entry(event, told, now)?
        {
            insert_entry(tx, &entry).await?;
        }
        Ok(Effects::none())
    }
}

/// The entry of a fact; `None` for one that concerns neither a customer nor a unit.
fn entry(event: &Event, told: Told, now: Timestamp) -> Result<Option<TimelineEntry>> {
    let mut bad = Violations::new();
    let id = bad.id("id", &event.id);
    let subject = bad.id::<CustomerId>("subject_id", &told.subject_id);
    let estate = bad.id::<EstateId>("estate_id", &event.estate_id);
    let customer_id = bad.optional_id::<CustomerId>("customer_id", &told.customer_id);
    let unit_id = bad.optional_id::<UnitId>("unit_id", &told.unit_id);
    bad.finish()?;
    if customer_id.is_none() && unit_id.is_none() {
        return Ok(None);
    }
    let occur_time = event.occur_time.as_ref().and_then(proto::timestamp);
    let required = |what: &'static str| Error::bug(format_args!("an event without {what}"));
    Ok(Some(TimelineEntry {
        id: id.ok_or_else(|| required("an id"))?,
        estate_id: estate.ok_or_else(|| required("an estate"))?,
        customer_id,
        unit_id,
        kind: told.kind,
        subject_id: subject.ok_or_else(|| required("a subject"))?.as_uuid(),
        occur_time: occur_time.ok_or_else(|| required("a time"))?,
        record_time: now,
        title_code: told.title_code.to_owned(),
        parameters: told.parameters,
    }))
}

/// Decodes the payload of one kind of event.
pub(super) fn payload<M: Message + Default>(bytes: &[u8]) -> Result<M, prost::DecodeError> {
    M::decode(bytes)
}
