//! Consents: added, withdrawn, never changed otherwise.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::ids::CustomerId;
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::codes::{Actor, ActorKind, Channel, ConsentMethod, Language, Purpose};
use crate::domain::consent::Consent;
use crate::domain::ids::ConsentId;

/// Place of a consent in its list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ConsentKey {
    give_time: Timestamp,
    id: ConsentId,
}

impl ConsentKey {
    /// The place of a consent.
    pub(crate) fn of(consent: &Consent) -> Self {
        Self { give_time: consent.give_time, id: consent.id }
    }
}

struct ConsentRow {
    id: Uuid,
    customer_id: Uuid,
    purpose: String,
    channel: String,
    text_version: String,
    language: String,
    proof_method: String,
    proof_reference: String,
    actor_kind: String,
    actor_subject: String,
    give_time: jiff_sqlx::Timestamp,
    withdraw_time: Option<jiff_sqlx::Timestamp>,
    row_version: i64,
}

impl ConsentRow {
    fn read(self) -> Result<Consent> {
        Ok(Consent {
            id: self.id.into(),
            customer_id: self.customer_id.into(),
            purpose: code(Purpose::parse(&self.purpose), "purpose")?,
            channel: code(Channel::parse(&self.channel), "channel")?,
            text_version: self.text_version,
            language: code(Language::parse(&self.language), "language")?,
            method: code(ConsentMethod::parse(&self.proof_method), "proof_method")?,
            reference: self.proof_reference,
            actor: Actor { kind: code(ActorKind::parse(&self.actor_kind), "actor_kind")?, subject: self.actor_subject },
            give_time: self.give_time.to_jiff(),
            withdraw_time: self.withdraw_time.map(jiff_sqlx::Timestamp::to_jiff),
            row_version: self.row_version,
        })
    }
}

/// Adds a consent with its effects. One trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn insert_consent(
    db: impl PgExecutor<'_>,
    consent: &Consent,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO notification.consents (id, customer_id, purpose, channel, text_version, language, proof_method,
                   proof_reference, actor_kind, actor_subject, give_time, row_version, create_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12)
            RETURNING id
           )
           SELECT (SELECT notification.write_effects($13) FROM created)::text AS effects
           -- unscoped: the customer was found in the caller's scope before"#,
        consent.id.as_uuid(),
        consent.customer_id.as_uuid(),
        consent.purpose.as_str(),
        consent.channel.as_str(),
        consent.text_version,
        consent.language.as_str(),
        consent.method.as_str(),
        consent.reference,
        consent.actor.kind.as_str(),
        consent.actor.subject,
        consent.give_time.to_sqlx() as jiff_sqlx::Timestamp,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// The consents to a purpose that hold now. One trip.
pub(crate) async fn load_holding(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
    purpose: Purpose,
    channel: Option<Channel>,
) -> Result<Vec<Consent>> {
    let rows = sqlx::query_as!(
        ConsentRow,
        r#"SELECT id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference, actor_kind,
                  actor_subject, give_time, withdraw_time, row_version
             FROM notification.consents
            WHERE customer_id = $1 AND purpose = $2 AND ($3::text IS NULL OR channel = $3) AND withdraw_time IS NULL
            ORDER BY give_time, id
           -- unscoped: the customer was found in the caller's scope before"#,
        customer.as_uuid(),
        purpose.as_str(),
        channel.map(|channel| channel.as_str()),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ConsentRow::read).collect()
}

/// The consents to any of these purposes that hold now. One trip.
pub(crate) async fn load_holding_any(db: impl PgExecutor<'_>, customer: CustomerId, purposes: &[Purpose]) -> Result<Vec<Consent>> {
    let purposes: Vec<String> = purposes.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_as!(
        ConsentRow,
        r#"SELECT id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference, actor_kind,
                  actor_subject, give_time, withdraw_time, row_version
             FROM notification.consents
            WHERE customer_id = $1 AND purpose = ANY($2) AND withdraw_time IS NULL
            ORDER BY give_time, id
           -- unscoped: the customer was found in the caller's scope before"#,
        customer.as_uuid(),
        &purposes,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ConsentRow::read).collect()
}

/// Withdraws exactly these consents, if all of them still hold, with the effects; false when one was withdrawn meanwhile.
/// One trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn withdraw_consents(
    db: impl PgExecutor<'_>,
    consents: &[Consent],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let ids: Vec<Uuid> = consents.iter().map(|consent| consent.id.as_uuid()).collect();
    let row = sqlx::query!(
        r#"WITH held AS (
               SELECT id FROM notification.consents WHERE id = ANY($1) AND withdraw_time IS NULL ORDER BY id FOR UPDATE
           ), complete AS (
               SELECT count(*) = cardinality($1::uuid[]) AS is FROM held
           ), withdrawn AS (
               UPDATE notification.consents c SET withdraw_time = $2, row_version = c.row_version + 1
                 FROM held h, complete WHERE c.id = h.id AND complete.is
           )
           SELECT complete.is AS "complete!",
                  (SELECT notification.write_effects($3) WHERE complete.is)::text AS effects
             FROM complete
           -- unscoped: the customer was found in the caller's scope before"#,
        &ids,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.complete)
}

/// A page of a customer's consents, newest first. One trip.
pub(crate) async fn list_consents(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
    purpose: Option<Purpose>,
    page: &PageRequest<ConsentKey>,
) -> Result<Vec<Consent>> {
    let rows = sqlx::query_as!(
        ConsentRow,
        r#"SELECT id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference, actor_kind,
                  actor_subject, give_time, withdraw_time, row_version
             FROM notification.consents
            WHERE customer_id = $1 AND ($2::text IS NULL OR purpose = $2)
              AND ($3::timestamptz IS NULL OR (give_time, id) < ($3, $4::uuid))
            ORDER BY give_time DESC, id DESC LIMIT $5
           -- unscoped: the customer was found in the caller's scope before"#,
        customer.as_uuid(),
        purpose.map(|purpose| purpose.as_str()),
        page.after.map(|key| key.give_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ConsentRow::read).collect()
}
