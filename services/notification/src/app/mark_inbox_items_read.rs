//! The reader read something.

use jiff::SignedDuration;
use prost::Message;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use steward_proto::notification::v1 as pb;
use uuid::Uuid;

use super::App;
use super::transact::Call;
use crate::contract::Code;
use crate::domain::codes::{Channel, StepCode};
use crate::domain::inbox::{InboxItem, Reader};
use crate::domain::message::Step;
use crate::events::publish;
use crate::store::inbox::{ItemFilter, find_items, list_items, mark_read};

/// Unread items are counted up to this; it means "or more".
pub(crate) const MOST_UNREAD: i64 = 100;

/// An item that nobody read for so long is history, not news.
const UNREAD_FOR: SignedDuration = SignedDuration::from_hours(24 * 92);

impl App {
    /// Unread items of the last quarter, up to [`MOST_UNREAD`] beyond `besides`. One trip.
    pub(crate) async fn unread(&self, reader: &Reader, besides: i64) -> Result<i64> {
        let unread = {
            let now = self.clock.now();
            let since = now.saturating_sub(UNREAD_FOR).ok();
            let filter = ItemFilter { unread_only: true, estate: None, since };
            list_items(self.db.pool(), reader, filter, None, MOST_UNREAD + besides, now).await?
        };
        Ok(i64::try_from(unread.len()).unwrap_or(MOST_UNREAD))
    }

    /// Marks items as read; all of them, or none when one is not the caller's. Three trips.
    pub(crate) async fn mark_inbox_items_read<R: Message + Default>(
        &self,
        call: &Call<'_>,
        ids: Vec<MessageId>,
        answer: impl Fn(i64) -> R,
    ) -> Result<R> {
        let reader = Reader::of(call.access);
        let mut wanted: Vec<Uuid> = ids.into_iter().map(Uuid::from).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let found = find_items(self.db.pool(), &reader, &wanted).await?;
        if let Some(missing) = wanted.iter().find(|id| !found.iter().any(|item| item.message_id.as_uuid() == **id)) {
            return self.unless_repeated(call, Error::not_found("message", missing)).await;
        }
        let now = self.clock.now();
        let fresh: Vec<&InboxItem> = found.iter().filter(|item| item.read_time.is_none()).collect();
        let newly = i64::try_from(fresh.len()).unwrap_or(MOST_UNREAD);
        let left = (self.unread(&reader, newly).await? - newly).clamp(0, MOST_UNREAD);
        let response = answer(left);
        let own = fresh.iter().filter(|item| item.staff_role.is_none());
        let events = own.map(|item| publish::read(facts(item, &reader), item.message_id, item.estate_id, now)).collect();
        let effects = Effects { claim: call.claim(&response), events, timers: Vec::new() };
        let step = Step::new(now, StepCode::Read, [("channel", Channel::Inbox.to_string())]);
        let step = serde_json::to_value([step]).map_err(Error::internal)?;
        match mark_read(self.db.pool(), &reader, &fresh, step, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }
}

fn facts(item: &InboxItem, reader: &Reader) -> pb::MessageFacts {
    pb::MessageFacts {
        message_id: item.message_id.to_string(),
        estate_id: item.estate_id.to_string(),
        customer_id: reader.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        message_class: item.class.number(),
        template_key: item.template_key.clone(),
        subject_kind: item.subject_kind.clone(),
        subject_id: item.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        household_id: String::new(),
    }
}
