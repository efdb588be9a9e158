//! Counting whom a definition chooses, and freezing it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Row};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use steward_kit_store::predicate::{push, push_column, push_test};
use uuid::Uuid;

use super::audiences::columns;
use super::facts::FactKey;
use crate::domain::ids::AudienceId;
use crate::domain::segment::{Definition, FrozenAudience, SegmentSubject};

/// Where a definition is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Where<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) estate: Option<EstateId>,
    pub(crate) subject: SegmentSubject,
    pub(crate) as_of: Date,
}

/// How many a definition chooses, and how many each exclusion leaves out, in order.
pub(crate) async fn count_chosen(pool: &PgPool, place: &Where<'_>, definition: &Definition) -> Result<(i64, Vec<(String, i64)>)> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_exclusion(&mut sql, place, definition)?;
    sql.push(" AS exclusion, count(*)");
    push_rows(&mut sql, place, definition)?;
    sql.push(" GROUP BY 1");
    let rows = sql.build().persistent(false).fetch_all(pool).await.store()?;
    let mut members = 0;
    let mut counts: Vec<(String, i64)> = definition.exclusions.iter().map(|(code, _)| (code.clone(), 0)).collect();
    for row in rows {
        let (exclusion, count): (Option<i32>, i64) = (row.try_get(0).store()?, row.try_get(1).store()?);
        match exclusion.and_then(|at| usize::try_from(at).ok()).and_then(|at| counts.get_mut(at)) {
            Some(known) => known.1 += count,
            None => members += count,
        }
    }
    Ok((members, counts))
}

/// Freezes whom a definition chooses, in one statement: everybody as of one moment.
pub(crate) async fn insert_audience(
    tx: &mut PgConnection,
    place: &Where<'_>,
    definition: &Definition,
    audience: &FrozenAudience,
    by: &str,
) -> Result<FrozenAudience> {
    let mut sql = QueryBuilder::new("WITH chosen AS MATERIALIZED (SELECT f.household_id, f.customer_id, f.estate_id, f.unit_id, ");
    push_exclusion(&mut sql, place, definition)?;
    sql.push(" AS exclusion, ARRAY[");
    for (at, test) in definition.tests().into_iter().enumerate() {
        sql.push(if at > 0 { ", " } else { "" });
        push_test(&mut sql, test, &columns, place.as_of)?;
    }
    sql.push("]::boolean[] AS truths, jsonb_strip_nulls(");
    push_shown_facts(&mut sql, definition);
    sql.push(") AS facts");
    push_rows(&mut sql, place, definition)?;
    sql.push("), entries AS (INSERT INTO customer.audience_entries (audience_id, household_id, customer_id, estate_id, unit_id, exclusion, truths, facts) SELECT ");
    sql.push_bind(audience.id.as_uuid());
    let codes: Vec<String> = definition.exclusions.iter().map(|(code, _)| code.clone()).collect();
    sql.push(", c.household_id, c.customer_id, c.estate_id, c.unit_id, (").push_bind(codes);
    sql.push("::text[])[c.exclusion + 1], c.truths, c.facts FROM chosen c), counted AS (SELECT ");
    sql.push(
        "count(*) FILTER (WHERE c.exclusion IS NULL)::integer AS member_count,
         count(*) FILTER (WHERE c.exclusion IS NOT NULL)::integer AS excluded_count,
         sha256(convert_to(coalesce(string_agg(c.household_id::text || ':' || c.customer_id::text, ','
             ORDER BY c.household_id, c.customer_id) FILTER (WHERE c.exclusion IS NULL), ''), 'UTF8')) AS digest FROM chosen c)
         INSERT INTO customer.audiences
             (id, segment_id, estate_id, definition, as_of_date, member_count, excluded_count, digest, taken_by, create_time) SELECT ",
    );
    sql.push_bind(audience.id.as_uuid()).push(", ").push_bind(audience.segment_id.as_uuid());
    sql.push(", ").push_bind(audience.estate_id.map(EstateId::as_uuid)).push("::uuid, ").push_bind(audience.definition.clone());
    sql.push(", ").push_bind(audience.as_of_date.to_sqlx());
    sql.push(", n.member_count, n.excluded_count, n.digest, ").push_bind(by.to_owned());
    sql.push(", ").push_bind(audience.create_time.to_sqlx());
    sql.push(" FROM counted n RETURNING member_count, excluded_count, digest");
    let row = sql.build().persistent(false).fetch_one(tx).await.store()?;
    Ok(FrozenAudience {
        member_count: row.try_get(0).store()?,
        excluded_count: row.try_get(1).store()?,
        digest: row.try_get(2).store()?,
        ..audience.clone()
    })
}

/// ` FROM ... WHERE ...`: the rows of the subject, in the scope, that the predicate chooses.
fn push_rows(sql: &mut QueryBuilder<Postgres>, place: &Where<'_>, definition: &Definition) -> Result<()> {
    sql.push(match place.subject {
        SegmentSubject::Household => " FROM customer.household_facts f WHERE f.is_main",
        SegmentSubject::Customer => " FROM customer.household_facts f WHERE f.customer_id <> '00000000-0000-0000-0000-000000000000'::uuid",
    });
    if let Some(estate) = place.estate {
        sql.push(" AND f.estate_id = ").push_bind(estate.as_uuid());
    }
    if let Some(estates) = place.scope.estates() {
        sql.push(" AND f.estate_id = ANY (").push_bind(estates).push(")");
    }
    sql.push(" AND ");
    push(sql, &definition.predicate, &columns, place.as_of)
}

/// The number of the first exclusion that holds, from 0; NULL if none does.
fn push_exclusion(sql: &mut QueryBuilder<Postgres>, place: &Where<'_>, definition: &Definition) -> Result<()> {
    if definition.exclusions.is_empty() {
        sql.push("NULL::integer");
        return Ok(());
    }
    sql.push("CASE");
    for (at, (_, exclusion)) in (0_i32..).zip(&definition.exclusions) {
        sql.push(" WHEN ");
        push(sql, exclusion, &columns, place.as_of)?;
        sql.push(" THEN ").push_bind(at).push("::integer");
    }
    sql.push(" END");
    Ok(())
}

/// The facts that reasons may show, as one jsonb.
fn push_shown_facts(sql: &mut QueryBuilder<Postgres>, definition: &Definition) {
    let shown = definition.tests().into_iter().filter(|test| !test.field.is_personal).map(|test| test.field.name.to_string());
    sql.push("'{}'::jsonb");
    for field in shown.collect::<BTreeSet<_>>() {
        if let Some(column) = columns(&field) {
            sql.push(" || jsonb_build_object(").push_bind(field).push("::text, to_jsonb(");
            push_column(sql, column);
            sql.push("))");
        }
    }
}

/// One audience of the scope.
pub(crate) async fn find_audience(pool: &PgPool, scope: &Scope, id: AudienceId) -> Result<Option<FrozenAudience>> {
    let row = sqlx::query!(
        "SELECT a.id, a.segment_id, a.estate_id, a.definition, a.as_of_date, a.member_count, a.excluded_count, a.digest, a.create_time
           FROM customer.audiences a
          WHERE a.id = $1 AND (a.estate_id IS NULL OR $2::uuid[] IS NULL OR a.estate_id = ANY ($2))",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(pool)
    .await
    .store()?;
    Ok(row.map(|row| FrozenAudience {
        id: row.id.into(),
        segment_id: row.segment_id.into(),
        estate_id: row.estate_id.map(EstateId::from),
        definition: row.definition,
        as_of_date: row.as_of_date.to_jiff(),
        member_count: row.member_count,
        excluded_count: row.excluded_count,
        digest: row.digest,
        create_time: row.create_time.to_jiff(),
    }))
}

/// An entry of an audience.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: FactKey,
    pub(crate) estate_id: Uuid,
    pub(crate) unit_id: Uuid,
    pub(crate) exclusion: Option<String>,
    pub(crate) truths: Vec<Option<bool>>,
    pub(crate) facts: Value,
}

/// Entries of an audience within the scope, by household and member.
pub(crate) async fn list_entries(
    pool: &PgPool,
    scope: &Scope,
    audience: AudienceId,
    excluded_only: bool,
    after: Option<&(Uuid, Uuid)>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"SELECT e.household_id, e.customer_id, e.estate_id, e.unit_id, e.exclusion,
                  e.truths AS "truths!: Vec<Option<bool>>", e.facts
             FROM customer.audience_entries e
            WHERE e.audience_id = $1 AND ($2::uuid[] IS NULL OR e.estate_id = ANY ($2)) AND (NOT $3 OR e.exclusion IS NOT NULL)
              AND ($4::uuid IS NULL OR (e.household_id, e.customer_id) > ($4, $5::uuid))
            ORDER BY e.household_id, e.customer_id LIMIT $6"#,
        audience.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        excluded_only,
        after.map(|(household, _)| *household),
        after.map(|(_, customer)| *customer),
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let entries = rows.into_iter().map(|row| Entry {
        key: FactKey { household_id: row.household_id, customer_id: row.customer_id },
        estate_id: row.estate_id,
        unit_id: row.unit_id,
        exclusion: row.exclusion,
        truths: row.truths,
        facts: row.facts,
    });
    Ok(entries.collect())
}

/// The row that a segment would look at for a household or a customer of the scope.
pub(crate) async fn find_subject(
    pool: &PgPool,
    scope: &Scope,
    subject: SegmentSubject,
    household: Option<Uuid>,
    customer: Option<Uuid>,
    estate: Option<EstateId>,
) -> Result<Option<Value>> {
    let row = sqlx::query!(
        r#"SELECT to_jsonb(f) AS "facts!" FROM customer.household_facts f
            WHERE ($1::uuid[] IS NULL OR f.estate_id = ANY ($1)) AND ($2::uuid IS NULL OR f.household_id = $2)
              AND ($5::uuid IS NULL OR f.estate_id = $5)
              AND CASE WHEN $4 THEN f.is_main AND ($3::uuid IS NULL OR f.household_id IN (
                                SELECT m.household_id FROM customer.household_facts m WHERE m.customer_id = $3))
                       ELSE ($3::uuid IS NULL AND f.is_main) OR f.customer_id = $3 END
            ORDER BY f.household_id, f.customer_id LIMIT 1"#,
        scope.estates() as Option<Vec<Uuid>>,
        household,
        customer,
        subject == SegmentSubject::Household,
        estate.map(EstateId::as_uuid),
    )
    .fetch_optional(pool)
    .await
    .store()?;
    Ok(row.map(|row| row.facts))
}

/// The day of the group: of the zone that most estates are in.
pub(crate) async fn group_zone(pool: &PgPool) -> Result<String> {
    let zone = sqlx::query_scalar!(
        "SELECT e.time_zone FROM customer.estates e GROUP BY e.time_zone ORDER BY count(*) DESC, e.time_zone LIMIT 1
          -- unscoped: a zone tells nothing of an estate"
    )
    .fetch_optional(pool)
    .await
    .store()?;
    Ok(zone.unwrap_or_else(|| "Asia/Shanghai".to_owned()))
}
