//! Talks with households, positions of managers, and what both amount to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::codes::{ContactWay, HouseholdDateKind};
use crate::domain::ids::ContactId;

/// A talk.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) estate_id: EstateId,
    pub(crate) household_id: HouseholdId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) actor_subject: String,
    pub(crate) way: ContactWay,
    pub(crate) purpose: String,
    pub(crate) is_two_way: bool,
    pub(crate) topics: Vec<String>,
    pub(crate) contact_time: Timestamp,
    pub(crate) create_time: Timestamp,
}

/// Place of a talk in its lists: latest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ContactKey {
    contact_time: Timestamp,
    id: ContactId,
}

impl ContactKey {
    /// The place of a talk.
    pub(crate) fn of(contact: &Contact) -> Self {
        Self { contact_time: contact.contact_time, id: contact.id }
    }
}

/// Adds a talk with its effects. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn insert_contact(db: impl PgExecutor<'_>, new: &Contact, effects: &Effects, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO care.contacts (estate_id, id, household_id, customer_id, actor_subject, way, purpose, is_two_way, topics,
                   contact_time, create_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id
           )
           SELECT (SELECT care.write_effects($12) FROM created)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        new.estate_id.as_uuid(),
        new.id.as_uuid(),
        new.household_id.as_uuid(),
        new.customer_id.map(Uuid::from),
        new.actor_subject,
        new.way.as_str(),
        new.purpose,
        new.is_two_way,
        &new.topics,
        new.contact_time.to_sqlx() as jiff_sqlx::Timestamp,
        new.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

struct Row {
    estate_id: Uuid,
    id: Uuid,
    household_id: Uuid,
    customer_id: Option<Uuid>,
    actor_subject: String,
    way: String,
    purpose: String,
    is_two_way: bool,
    topics: Vec<String>,
    contact_time: jiff_sqlx::Timestamp,
    create_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Contact> {
        Ok(Contact {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            household_id: self.household_id.into(),
            customer_id: self.customer_id.map(Into::into),
            actor_subject: self.actor_subject,
            way: code(ContactWay::parse(&self.way), "way")?,
            purpose: self.purpose,
            is_two_way: self.is_two_way,
            topics: self.topics,
            contact_time: self.contact_time.to_jiff(),
            create_time: self.create_time.to_jiff(),
        })
    }
}

/// A talk, as the timer that settles it names it. One trip.
pub(crate) async fn load_contact(db: impl PgExecutor<'_>, estate: EstateId, id: Uuid) -> Result<Option<Contact>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT estate_id, id, household_id, customer_id, actor_subject, way, purpose, is_two_way, topics, contact_time, create_time
           FROM care.contacts WHERE estate_id = $1 AND id = $2
         -- unscoped: a timer named the talk",
        estate.as_uuid(),
        id,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// A page of an estate's talks, latest first. One trip.
pub(crate) async fn list_of_estate(db: impl PgExecutor<'_>, estate: ScopedEstate, page: &PageRequest<ContactKey>) -> Result<Vec<Contact>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        "SELECT estate_id, id, household_id, customer_id, actor_subject, way, purpose, is_two_way, topics, contact_time, create_time
           FROM care.contacts
          WHERE estate_id = $1 AND ($2::timestamptz IS NULL OR (contact_time, id) < ($2, $3::uuid))
          ORDER BY contact_time DESC, id DESC LIMIT $4",
        estate.as_uuid(),
        after.map(|place| place.contact_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// A page of a household's talks, latest first. One trip.
pub(crate) async fn list_of_household(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    household: HouseholdId,
    page: &PageRequest<ContactKey>,
) -> Result<Vec<Contact>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        "SELECT estate_id, id, household_id, customer_id, actor_subject, way, purpose, is_two_way, topics, contact_time, create_time
           FROM care.contacts
          WHERE household_id = $2 AND estate_id = $1 AND ($3::timestamptz IS NULL OR (contact_time, id) < ($3, $4::uuid))
          ORDER BY contact_time DESC, id DESC LIMIT $5",
        estate.as_uuid(),
        household.as_uuid(),
        after.map(|place| place.contact_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// How much of an estate was spoken with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    pub(crate) count: i64,
    pub(crate) by_date: BTreeMap<String, i64>,
    pub(crate) by_subject: BTreeMap<String, i64>,
}

/// Households that answered in a talk of the relationship between two instants; each counts once, on the day and by whom it was first
/// reached (F-08b, CA-30). One trip.
pub(crate) async fn reached(db: impl PgExecutor<'_>, estate: EstateId, from: Timestamp, to: Timestamp, zone: &str) -> Result<Reached> {
    let rows = sqlx::query!(
        r#"WITH firsts AS (
               SELECT DISTINCT ON (household_id) household_id, contact_time, actor_subject FROM care.contacts
                WHERE estate_id = $1 AND purpose = 'relationship' AND is_two_way AND contact_time >= $2 AND contact_time < $3
                ORDER BY household_id, contact_time, id
           )
           SELECT 'date' AS "part!", to_char(contact_time AT TIME ZONE $4, 'YYYY-MM-DD') AS "code!", count(*) AS "count!" FROM firsts GROUP BY 2
           UNION ALL
           SELECT 'subject', actor_subject, count(*) FROM firsts GROUP BY actor_subject
           -- unscoped: the estate was found in the caller's scope before"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
        zone,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut reached = Reached::default();
    for row in rows {
        if row.part == "date" {
            reached.count += row.count;
            reached.by_date.insert(row.code, row.count);
        } else {
            reached.by_subject.insert(row.code, row.count);
        }
    }
    Ok(reached)
}

/// Sets or clears a position. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn put_officer(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    subject: &str,
    position: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH gone AS (
               DELETE FROM care.officers WHERE estate_id = $1 AND subject = $2 AND $3 = ''
           ), put AS (
               INSERT INTO care.officers (estate_id, subject, position, update_time) SELECT $1, $2, $3, $4 WHERE $3 <> ''
               ON CONFLICT ON CONSTRAINT officers_pkey DO UPDATE SET position = EXCLUDED.position, update_time = EXCLUDED.update_time
           )
           SELECT care.write_effects($5)::text AS effects"#,
        estate.as_uuid(),
        subject,
        position,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Sets a day of a household. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn put_household_date(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    household: HouseholdId,
    kind: HouseholdDateKind,
    date: jiff::civil::Date,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH put AS (
               INSERT INTO care.household_dates (estate_id, household_id, kind, date, update_time) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT ON CONSTRAINT household_dates_pkey DO UPDATE SET date = EXCLUDED.date, update_time = EXCLUDED.update_time
           )
           SELECT care.write_effects($6)::text AS effects"#,
        estate.as_uuid(),
        household.as_uuid(),
        kind.as_str(),
        date.to_sqlx() as jiff_sqlx::Date,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// A manager and their talks at home in a year.
#[derive(Clone, Debug)]
pub(crate) struct Officer {
    pub(crate) subject: String,
    pub(crate) position: String,
    pub(crate) done_count: i64,
    pub(crate) not_conforming_count: i64,
}

/// A page of managers by subject, with the talks that they led between two instants (CA-50 to CA-53). One trip.
pub(crate) async fn list_officers(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    from: Timestamp,
    to: Timestamp,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Officer>> {
    let rows = sqlx::query!(
        r#"SELECT o.subject, o.position, coalesce(t.done, 0) AS "done!", coalesce(t.failed, 0) AS "failed!"
             FROM care.officers o
             LEFT JOIN LATERAL (
                  SELECT count(*) FILTER (WHERE v.state = 'closed' AND (v.document -> 'conformity' ->> 'duration')::boolean) AS done,
                         count(*) FILTER (WHERE NOT (v.state = 'closed' AND (v.document -> 'conformity' ->> 'duration')::boolean)) AS failed
                    FROM care.visits v
                   WHERE v.estate_id = $1 AND v.lead_visitor = o.subject AND v.state IN ('done', 'closed')
                     AND v.mark_time >= $2 AND v.mark_time < $3
             ) t ON true
            WHERE o.estate_id = $1 AND ($4::text IS NULL OR o.subject > $4) ORDER BY o.subject LIMIT $5"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
        after,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| Officer {
        subject: row.subject,
        position: row.position,
        done_count: row.done,
        not_conforming_count: row.failed,
    });
    Ok(read.collect())
}
