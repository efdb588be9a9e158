//! Programmes and what is recorded of their effect.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Error;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::code;
use crate::contract::document;
use crate::domain::codes::{Actor, ActorKind, ProgrammeState};
use crate::domain::ids::ProgrammeId;
use crate::domain::programme::Programme;

/// The constraint that refuses a second version of one number.
pub(crate) const VERSION_TAKEN: &str = "programmes_version_key";

/// Place of a programme in its list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ProgrammeKey {
    create_time: Timestamp,
    id: ProgrammeId,
}

impl ProgrammeKey {
    /// The place of a programme.
    pub(crate) fn of(programme: &Programme) -> Self {
        Self { create_time: programme.create_time, id: programme.id }
    }
}

struct Row {
    id: Uuid,
    estate_id: Option<Uuid>,
    code: String,
    version: i32,
    state: String,
    document: Vec<u8>,
    content_hash: Vec<u8>,
    plan_item_id: Option<Uuid>,
    author_kind: String,
    author_subject: String,
    publisher_kind: Option<String>,
    publisher_subject: Option<String>,
    create_time: jiff_sqlx::Timestamp,
    publish_time: Option<jiff_sqlx::Timestamp>,
    retire_time: Option<jiff_sqlx::Timestamp>,
    row_version: i64,
}

impl Row {
    fn read(self) -> Result<Programme> {
        let encoded: pb::ProgrammeDocument = prost::Message::decode(self.document.as_slice()).map_err(Error::internal)?;
        let mut bad = Violations::new();
        // It was checked when it came in: a stored document that does not read is our fault.
        let read = document(&encoded, "document", &mut bad).ok_or_else(|| Error::bug(format_args!("a stored programme: {bad}")))?;
        let publisher = match (self.publisher_kind, self.publisher_subject) {
            (Some(kind), Some(subject)) => Some(Actor { kind: code(ActorKind::parse(&kind), "publisher_kind")?, subject }),
            (_, _) => None,
        };
        Ok(Programme {
            id: self.id.into(),
            estate_id: self.estate_id.map(EstateId::from),
            code: self.code,
            version: self.version,
            state: code(ProgrammeState::parse(&self.state), "state")?,
            document: read,
            encoded: self.document,
            content_hash: self.content_hash.try_into().map_err(|_| Error::bug("a hash of another length"))?,
            plan_item_id: self.plan_item_id.map(Into::into),
            author: Actor { kind: code(ActorKind::parse(&self.author_kind), "author_kind")?, subject: self.author_subject },
            publisher,
            create_time: self.create_time.to_jiff(),
            publish_time: self.publish_time.map(|time| time.to_jiff()),
            retire_time: self.retire_time.map(|time| time.to_jiff()),
            row_version: self.row_version,
        })
    }
}

macro_rules! select {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "SELECT id, estate_id, code, version, state, document, content_hash, plan_item_id, author_kind, author_subject,
                    publisher_kind, publisher_subject, create_time, publish_time, retire_time, row_version
               FROM care.programmes WHERE " + $which
            $(, $argument)*
        )
    };
}

/// The version that a new draft of a code gets. One trip.
pub(crate) async fn next_version(db: impl PgExecutor<'_>, estate: Option<EstateId>, code: &str) -> Result<i32> {
    let row = sqlx::query!(
        r#"SELECT coalesce(max(version), 0) + 1 AS "next!" FROM care.programmes
            WHERE code = $1 AND estate_id IS NOT DISTINCT FROM $2
           -- unscoped: the estate was found in the caller's scope before"#,
        code,
        estate.map(Uuid::from),
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.next)
}

/// Adds a draft with its effects. One trip. The error is raw: it tells a repeated request and a version that is taken.
pub(crate) async fn insert_programme(
    db: impl PgExecutor<'_>,
    new: &Programme,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO care.programmes (id, estate_id, code, version, state, document, content_hash, plan_item_id, author_kind,
                   author_subject, create_time, row_version)
               VALUES ($1, $2, $3, $4, 'draft', $5, $6, $7, $8, $9, $10, 1)
            RETURNING id
           )
           SELECT (SELECT care.write_effects($11) FROM created)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        new.id.as_uuid(),
        new.estate_id.map(Uuid::from),
        new.code,
        new.version,
        new.encoded,
        new.content_hash.as_slice(),
        new.plan_item_id.map(Uuid::from),
        new.author.kind.as_str(),
        new.author.subject,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// One version that the caller may see: of their estates, or of every estate. One trip.
pub(crate) async fn load_programme(db: impl PgExecutor<'_>, scope: &Scope, id: ProgrammeId) -> Result<Option<Programme>> {
    let estates = scope.estates();
    let row =
        select!("id = $1 AND ($2::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($2))", id.as_uuid(), estates as Option<Vec<Uuid>>)
            .fetch_optional(db)
            .await
            .store()?;
    row.map(Row::read).transpose()
}

/// Versions by their ids, for background work. One trip.
pub(crate) async fn load_programmes(db: impl PgExecutor<'_>, ids: &[ProgrammeId]) -> Result<BTreeMap<ProgrammeId, Programme>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let rows = select!("id = ANY($1) -- unscoped: touchpoints that wait named them", &ids).fetch_all(db).await.store()?;
    rows.into_iter().map(|row| row.read().map(|programme| (programme.id, programme))).collect()
}

/// The published version of a code in a scope. One trip.
pub(crate) async fn load_published(db: impl PgExecutor<'_>, estate: Option<EstateId>, code: &str) -> Result<Option<Programme>> {
    let row = select!(
        "code = $1 AND estate_id IS NOT DISTINCT FROM $2 AND state = 'published' -- unscoped: of a programme that was read through one",
        code,
        estate.map(Uuid::from)
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// Every published version that holds for an estate. One trip.
pub(crate) async fn load_running(db: impl PgExecutor<'_>, estate: EstateId) -> Result<Vec<Programme>> {
    let rows = select!(
        "state = 'published' AND (estate_id IS NULL OR estate_id = $1) ORDER BY id -- unscoped: a fact named the estate",
        estate.as_uuid()
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Writes where programmes stand, each if it is as it was read; all of them or none, with the effects. One trip.
pub(crate) async fn save_states(
    db: impl PgExecutor<'_>,
    all: &[&Programme],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let rows: Vec<serde_json::Value> = all
        .iter()
        .map(|one| {
            serde_json::json!({
                "id": one.id, "row_version": one.row_version, "state": one.state, "publish_time": one.publish_time,
                "retire_time": one.retire_time, "publisher_kind": one.publisher.as_ref().map(|by| by.kind),
                "publisher_subject": one.publisher.as_ref().map(|by| by.subject.clone()),
            })
        })
        .collect();
    let row = sqlx::query!(
        r#"WITH given AS (
               SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(id uuid, row_version bigint, state text, publish_time timestamptz,
                   retire_time timestamptz, publisher_kind text, publisher_subject text)
           ), locked AS (
               SELECT p.id FROM care.programmes p JOIN given g ON g.id = p.id AND g.row_version = p.row_version ORDER BY p.id FOR UPDATE OF p
           ), retired AS (
               UPDATE care.programmes p
                  SET state = g.state, retire_time = g.retire_time, row_version = p.row_version + 1
                 FROM given g
                WHERE p.id = g.id AND g.state = 'retired' AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM given)
               RETURNING p.id
           ), published AS (
               -- After the one that goes, or two of a code would be published at once.
               UPDATE care.programmes p
                  SET state = g.state, publish_time = g.publish_time, publisher_kind = g.publisher_kind,
                      publisher_subject = g.publisher_subject, row_version = p.row_version + 1
                 FROM given g
                WHERE p.id = g.id AND g.state <> 'retired' AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM given)
                  AND (SELECT count(*) FROM retired) = (SELECT count(*) FROM given WHERE state = 'retired')
               RETURNING p.id
           ), updated AS (
               SELECT id FROM retired UNION ALL SELECT id FROM published
           )
           SELECT (SELECT count(*) FROM updated) AS "updated!",
                  (SELECT care.write_effects($2) WHERE EXISTS (SELECT FROM updated))::text AS effects
           -- unscoped: the programmes were read through a scope"#,
        Json(rows) as _,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.updated > 0)
}

/// Which versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    /// Those that hold for it.
    pub(crate) estate: Option<EstateId>,
    /// Those in this state.
    pub(crate) state: Option<ProgrammeState>,
    /// Those that ended without a later version, and of whose code nobody has recorded an effect (CA-13).
    pub(crate) unevaluated_only: bool,
}

/// A page of versions. One trip.
pub(crate) async fn list_programmes(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    filter: &Filter,
    page: &PageRequest<ProgrammeKey>,
) -> Result<Vec<Programme>> {
    let estates = scope.estates();
    let after = page.after.as_ref();
    let rows = select!(
        "($1::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($1)) AND ($2::uuid IS NULL OR estate_id IS NULL OR estate_id = $2)
           AND ($3::text IS NULL OR state = $3)
           AND (NOT $7 OR state = 'retired' AND NOT EXISTS (
               SELECT FROM care.programmes later
                WHERE later.estate_id IS NOT DISTINCT FROM programmes.estate_id AND later.code = programmes.code
                  AND later.version > programmes.version AND later.state <> 'draft')
             AND NOT EXISTS (
               SELECT FROM care.programme_evaluations e JOIN care.programmes own ON own.id = e.programme_id
                WHERE own.estate_id IS NOT DISTINCT FROM programmes.estate_id AND own.code = programmes.code
                  AND ($2::uuid IS NULL OR e.estate_id = $2)))
           AND ($4::timestamptz IS NULL OR (create_time, id) < ($4, $5::uuid))
         ORDER BY create_time DESC, id DESC LIMIT $6",
        estates as Option<Vec<Uuid>>,
        filter.estate.map(Uuid::from),
        filter.state.map(ProgrammeState::as_str),
        after.map(|place| place.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id.as_uuid()),
        page.size.limit(),
        filter.unevaluated_only
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Whether an approved plan of the estate has the item. One trip.
pub(crate) async fn has_plan_item(db: impl PgExecutor<'_>, estate: EstateId, item: Uuid) -> Result<bool> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM care.annual_plans
                           WHERE estate_id = $1 AND state = 'approved' AND document @> jsonb_build_object('items',
                                 jsonb_build_array(jsonb_build_object('id', $2::text)))) AS "has!"
           -- unscoped: the estate was found in the caller's scope before"#,
        estate.as_uuid(),
        item.to_string(),
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.has)
}
