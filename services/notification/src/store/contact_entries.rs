//! The lines of the contact ledger, as they are listed.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::code;
use super::windows::Windows;
use crate::domain::codes::{Actor, ActorKind, Channel, Class, EntryKind};
use crate::domain::ids::ContactEntryId;
use crate::domain::ledger::{Contact, Entry};

/// Place of a line in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EntryKey {
    create_time: Timestamp,
    id: ContactEntryId,
}

/// A line as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct ListedEntry {
    pub(crate) entry: Entry,
    pub(crate) actor: Actor,
    pub(crate) create_time: Timestamp,
}

impl ListedEntry {
    /// The place of a line.
    pub(crate) fn key(&self) -> EntryKey {
        EntryKey { create_time: self.create_time, id: self.entry.id }
    }
}

struct EntryRow {
    estate_id: Uuid,
    id: Uuid,
    contact_id: Option<Uuid>,
    household_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    kind: String,
    message_class: String,
    channel: Option<String>,
    subject_kind: String,
    subject_id: Option<Uuid>,
    topic: String,
    message_id: Option<Uuid>,
    reasons: Vec<String>,
    note: String,
    actor_kind: String,
    actor_subject: String,
    contact_time: jiff_sqlx::Timestamp,
    create_time: jiff_sqlx::Timestamp,
}

impl EntryRow {
    fn read(self) -> Result<ListedEntry> {
        let contact = Contact {
            estate_id: self.estate_id.into(),
            household_id: self.household_id.map(Into::into),
            customer_id: self.customer_id,
            class: code(Class::parse(&self.message_class), "message_class")?,
            channel: self.channel.as_deref().and_then(Channel::parse),
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            topic: self.topic,
            message_id: self.message_id.map(Into::into),
            time: self.contact_time.to_jiff(),
        };
        let entry = Entry {
            id: self.id.into(),
            kind: code(EntryKind::parse(&self.kind), "kind")?,
            contact_id: self.contact_id.map(Into::into),
            contact,
            reasons: self.reasons,
            note: self.note,
        };
        let actor = Actor { kind: code(ActorKind::parse(&self.actor_kind), "actor_kind")?, subject: self.actor_subject };
        Ok(ListedEntry { entry, actor, create_time: self.create_time.to_jiff() })
    }
}

/// A page of the ledger of a household or a customer, newest first. One trip for each stretch of time that a page needs.
pub(crate) async fn list_entries(
    db: &PgPool,
    scope: &Scope,
    (household, customer): (Option<Uuid>, Option<Uuid>),
    page: &PageRequest<EntryKey>,
    now: Timestamp,
) -> Result<Vec<ListedEntry>> {
    let estates = scope.estates();
    let mut found = Vec::new();
    for (from, to) in Windows::back_from(now, page.after.map(|key| key.create_time)) {
        let left = page.size.limit() - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let rows = sqlx::query_as!(
            EntryRow,
            r#"SELECT estate_id, id, contact_id, household_id, customer_id, kind, message_class, channel, subject_kind, subject_id, topic,
                      message_id, reasons, note, actor_kind, actor_subject, contact_time, create_time
                 FROM notification.contact_entries
                WHERE create_time >= $1 AND create_time < $2 AND ($3::uuid[] IS NULL OR estate_id = ANY($3))
                  AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::uuid IS NULL OR household_id = $5)
                  AND ($6::uuid IS NULL OR customer_id = $6) AND ($7::timestamptz IS NULL OR (create_time, id) < ($7, $8::uuid))
                ORDER BY create_time DESC, id DESC LIMIT $9"#,
            from.to_sqlx() as jiff_sqlx::Timestamp,
            to.to_sqlx() as jiff_sqlx::Timestamp,
            estates.as_deref(),
            scope.own_customer(),
            household,
            customer,
            page.after.map(|key| key.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
            page.after.map(|key| key.id.as_uuid()),
            left,
        )
        .fetch_all(db)
        .await
        .store()?;
        for row in rows {
            found.push(row.read()?);
        }
    }
    Ok(found)
}
