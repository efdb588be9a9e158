//! The contact ledger: what counts, and for whom.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use serde_json::json;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use steward_kit::Result;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::contact_document::LONGEST_WINDOW_DAYS;
use crate::domain::caps::Counted;
use crate::domain::codes::{Actor, Channel, Class};
use crate::domain::ids::ContactId;
use crate::domain::ledger::{Changes, Contact, Head};

/// What is known of those whom contacts count for, as of one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    heads: BTreeMap<Head, (i64, Vec<Counted>)>,
    known: HashMap<Vec<u8>, ContactId>,
}

impl Standing {
    /// The contacts that count for somebody.
    pub(crate) fn contacts(&self, head: Head) -> &[Counted] {
        self.heads.get(&head).map(|(_, contacts)| contacts.as_slice()).unwrap_or_default()
    }

    /// The contact, if it was counted before.
    pub(crate) fn already(&self, key: &[u8]) -> Option<ContactId> {
        self.known.get(key).copied()
    }

    /// Counts one more, for the questions that follow.
    pub(crate) fn count(&mut self, key: Vec<u8>, id: ContactId, contact: &Contact) {
        self.known.insert(key, id);
        let counted =
            Counted { time: contact.time, class: contact.class, subject_kind: contact.subject_kind.clone(), topic: contact.topic.clone() };
        for head in contact.heads() {
            self.heads.entry(head).or_default().1.push(counted.clone());
        }
    }

    /// The version that a head was seen in.
    pub(crate) fn version(&self, head: Head) -> i64 {
        self.heads.get(&head).map_or(0, |(version, _)| *version)
    }
}

#[derive(Debug, Deserialize)]
struct HeadRow {
    scope: String,
    scope_id: Uuid,
    version: i64,
    contacts: Vec<CountedRow>,
}

#[derive(Debug, Deserialize)]
struct CountedRow {
    time: Timestamp,
    class: Class,
    subject_kind: String,
    topic: String,
}

#[derive(Debug, Deserialize)]
struct KnownRow {
    key: String,
    id: Uuid,
}

/// What counts for `heads` around `at`, and which of the contacts named by `keys` were counted before. One trip, one
/// snapshot: a version stands for exactly the contacts read with it.
pub(crate) async fn load_standing(
    db: impl PgExecutor<'_>,
    heads: &[Head],
    keys: &[Vec<u8>],
    (first, last): (Timestamp, Timestamp),
) -> Result<Standing> {
    let reach = SignedDuration::from_hours(24 * (LONGEST_WINDOW_DAYS + 2));
    let scopes: Vec<String> = heads.iter().map(|head| head.scope.to_owned()).collect();
    let ids: Vec<Uuid> = heads.iter().map(|head| head.scope_id).collect();
    let row = sqlx::query!(
        r#"SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('scope', g.scope, 'scope_id', g.scope_id,
                              'version', coalesce(h.row_version, 0),
                              'contacts', coalesce((SELECT jsonb_agg(jsonb_build_object('time', n.contact_time, 'class', n.message_class,
                                                               'subject_kind', n.subject_kind, 'topic', n.topic))
                                                      FROM notification.contact_counts n
                                                     WHERE n.scope = g.scope AND n.scope_id = g.scope_id
                                                       AND n.contact_time > $3 AND n.contact_time < $4), '[]'::jsonb))), '[]'::jsonb)
                     FROM unnest($1::text[], $2::uuid[]) AS g(scope, scope_id)
                     LEFT JOIN notification.contact_heads h ON h.scope = g.scope AND h.scope_id = g.scope_id) AS "heads!: Json<Vec<HeadRow>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('key', encode(c.key, 'base64'), 'id', c.id)), '[]'::jsonb)
                     FROM notification.contacts c WHERE c.key = ANY($5)) AS "known!: Json<Vec<KnownRow>>"
           -- unscoped: answers a question whose estate and recipient were scoped before"#,
        &scopes,
        &ids,
        first.saturating_sub(reach).unwrap_or(Timestamp::UNIX_EPOCH).to_sqlx() as jiff_sqlx::Timestamp,
        last.saturating_add(reach).unwrap_or(last).to_sqlx() as jiff_sqlx::Timestamp,
        keys,
    )
    .fetch_one(db)
    .await
    .store()?;
    let mut standing = Standing::default();
    for head in row.heads.0 {
        let read = |row: CountedRow| Counted { time: row.time, class: row.class, subject_kind: row.subject_kind, topic: row.topic };
        let scope = if head.scope == "household" { "household" } else { "person" };
        let contacts = head.contacts.into_iter().map(read).collect();
        standing.heads.insert(Head { scope, scope_id: head.scope_id }, (head.version, contacts));
    }
    for known in row.known.0 {
        standing.known.insert(code(STANDARD.decode(&known.key).ok(), "key")?, known.id.into());
    }
    Ok(standing)
}

/// The changes as `notification.write_contacts` takes them; none when there are none. `key_of` names a contact's key.
pub(crate) fn changes_json(changes: &Changes, actor: &Actor, key_of: impl Fn(&Contact) -> Vec<u8>) -> Option<serde_json::Value> {
    if changes.is_empty() {
        return None;
    }
    let heads = changes.heads.iter().map(|(head, seen)| json!({ "scope": head.scope, "scope_id": head.scope_id, "seen": seen }));
    let contacts = changes.counted.iter().map(|(id, contact, kind)| {
        json!({
            "key": STANDARD.encode(key_of(contact)), "id": id, "estate_id": contact.estate_id, "household_id": contact.household_id,
            "customer_id": contact.customer_id, "state": kind, "message_class": contact.class, "channel": contact.channel,
            "subject_kind": contact.subject_kind, "subject_id": contact.subject_id, "topic": contact.topic, "contact_time": contact.time,
        })
    });
    let entries = changes.entries.iter().map(|entry| {
        let contact = &entry.contact;
        json!({
            "estate_id": contact.estate_id, "id": entry.id, "contact_id": entry.contact_id, "household_id": contact.household_id,
            "customer_id": contact.customer_id, "kind": entry.kind, "message_class": contact.class, "channel": contact.channel,
            "subject_kind": contact.subject_kind, "subject_id": contact.subject_id, "topic": contact.topic,
            "message_id": contact.message_id, "reasons": entry.reasons, "note": entry.note, "actor_kind": actor.kind,
            "actor_subject": actor.subject, "contact_time": contact.time,
        })
    });
    Some(json!({
        "heads": heads.collect::<Vec<_>>(), "contacts": contacts.collect::<Vec<_>>(), "entries": entries.collect::<Vec<_>>(),
        "sent": changes.sent, "released": changes.released,
    }))
}

/// Whether a statement is void because somebody else counted a contact with the same people meanwhile, or because the month
/// that it wrote into was made under it: look again.
pub(crate) fn is_contended(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    match error.code().as_deref() {
        // serialization_failure, as `take_contact_heads` raises it.
        Some("40001") => true,
        // A check that no constraint of ours names: that of the default partition, which a new month has narrowed.
        Some("23514") => error.constraint().is_none(),
        Some(_) | None => error.constraint() == Some("contacts_pkey"),
    }
}

/// Writes changes of the ledger with the effects. One trip. The inner error is raw, so that the caller can tell a repeated
/// request and a contended household.
pub(crate) async fn write_contacts(
    db: impl PgExecutor<'_>,
    changes: Option<serde_json::Value>,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT notification.write_contacts($1, $2)::text AS contacts, notification.write_effects($3)::text AS effects
           -- unscoped: each contact names its estate, which was found in scope before"#,
        changes,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Those of `ids` that are reserved and were not used. One trip.
pub(crate) async fn load_reserved(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Vec<(ContactId, Contact)>> {
    let rows = sqlx::query_as!(
        ContactRow,
        r#"SELECT id, estate_id, household_id, customer_id, message_class, channel, subject_kind, subject_id, topic, contact_time
             FROM notification.contacts WHERE id = ANY($1) AND state = 'reserved' ORDER BY id
           -- unscoped: services reserve and release for every estate"#,
        ids,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ContactRow::read).collect()
}

struct ContactRow {
    id: Uuid,
    estate_id: Uuid,
    household_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    message_class: String,
    channel: Option<String>,
    subject_kind: String,
    subject_id: Option<Uuid>,
    topic: String,
    contact_time: jiff_sqlx::Timestamp,
}

impl ContactRow {
    fn read(self) -> Result<(ContactId, Contact)> {
        let contact = Contact {
            estate_id: self.estate_id.into(),
            household_id: self.household_id.map(Into::into),
            customer_id: self.customer_id,
            class: code(Class::parse(&self.message_class), "message_class")?,
            channel: self.channel.as_deref().and_then(Channel::parse),
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            topic: self.topic,
            message_id: None,
            time: self.contact_time.to_jiff(),
        };
        Ok((self.id.into(), contact))
    }
}

/// Forgets contacts that no cap can look back to, a chunk at a time; says how many.
pub(crate) async fn forget_contacts(db: &PgPool, now: Timestamp, chunk: i64) -> Result<u64> {
    let before = now.saturating_sub(SignedDuration::from_hours(24 * (LONGEST_WINDOW_DAYS + 2))).unwrap_or(now);
    let counts = sqlx::query!(
        "DELETE FROM notification.contact_counts WHERE (scope, scope_id, contact_time, contact_id) IN (
             SELECT scope, scope_id, contact_time, contact_id FROM notification.contact_counts
              WHERE contact_time < $1 ORDER BY contact_time LIMIT $2) -- unscoped: forgets for every estate",
        before.to_sqlx() as jiff_sqlx::Timestamp,
        chunk,
    )
    .execute(db)
    .await
    .store()?;
    let contacts = sqlx::query!(
        "DELETE FROM notification.contacts WHERE key IN (
             SELECT key FROM notification.contacts WHERE contact_time < $1 ORDER BY contact_time LIMIT $2)
         -- unscoped: forgets for every estate",
        before.to_sqlx() as jiff_sqlx::Timestamp,
        chunk,
    )
    .execute(db)
    .await
    .store()?;
    Ok(counts.rows_affected().max(contacts.rows_affected()))
}
