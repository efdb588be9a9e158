//! Ids that only this service makes, and ids that say in which month their row is.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use steward_kit::define_id;
use uuid::{Builder, Uuid};

define_id!(BroadcastId, "broadcast");
define_id!(TemplateVersionId, "template version");
define_id!(RoutingRuleId, "routing rule");
define_id!(DeliveryId, "delivery");
define_id!(ConsentId, "consent");
define_id!(WebhookEndpointId, "webhook endpoint");
define_id!(ContactId, "contact");
define_id!(ContactEntryId, "contact entry");

/// How far the time inside an id may lie from the row's: ids of other makers, clocks that differ.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// Orders ids of one millisecond.
static PLACE: AtomicU32 = AtomicU32::new(0);

/// A new id of a row created at `now`: UUIDv7 with that time, so that its month is known from the id alone.
pub fn id_at<I: From<Uuid>>(now: Timestamp) -> I {
    let random = Uuid::new_v4().into_bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&random[6..]);
    // The first bits go on counting, so that ids of one millisecond sort as they were made.
    tail[1..5].copy_from_slice(&PLACE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    tail[0] = 0;
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().into()
}

/// The stretch of time in which the row of an id was created; an empty one for an id that holds no time, which is none of
/// ours.
pub fn made_within(id: Uuid) -> (Timestamp, Timestamp) {
    let at = id.get_timestamp().and_then(|time| {
        let (seconds, nanos) = time.to_unix();
        Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
    });
    match at {
        Some(at) => (at.saturating_sub(SLACK).unwrap_or(at), at.saturating_add(SLACK).unwrap_or(at)),
        None => (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
    }
}

/// The stretch of time in which the rows of all of these were created, for one statement about many.
pub fn all_made_within(ids: &[Uuid]) -> (Timestamp, Timestamp) {
    let made = ids.iter().map(|id| made_within(*id));
    made.reduce(|(from, to), (other_from, other_to)| (from.min(other_from), to.max(other_to)))
        .unwrap_or((Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH))
}
