//! Root causes, what is done about them, and what it came to.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::WorkOrderId;
use steward_kit::paging::PageRequest;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::row::code;
use super::texts::{action_place, answers_place};
use crate::domain::{Actor, ActorKind, Answers, CorrectiveAction, Rework, ReworkKey, RootCause, RootCauseId};

struct CauseRow {
    estate_id: Uuid,
    id: Uuid,
    category: String,
    answers: Vec<u8>,
    evidence: Vec<Uuid>,
    author_kind: String,
    author: String,
    create_time: jiff_sqlx::Timestamp,
}

impl CauseRow {
    fn into_cause(self, cipher: &FieldCipher) -> Result<RootCause> {
        let plain = cipher.open(answers_place(self.id), &self.answers)?;
        let answers: [String; 6] = serde_json::from_slice(&plain).map_err(Error::internal)?;
        Ok(RootCause {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            category: self.category,
            answers: Answers(answers.map(Pii::new)),
            evidence: self.evidence.into_iter().map(Into::into).collect(),
            author: Actor::new(code(ActorKind::parse, &self.author_kind)?, self.author),
            create_time: self.create_time.to_jiff(),
            actions: Vec::new(),
        })
    }
}

/// Which of these orders the estate has.
pub(crate) async fn known_orders(tx: &mut PgConnection, estate: ScopedEstate, orders: &[WorkOrderId]) -> Result<Vec<WorkOrderId>> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.as_uuid()).collect();
    let known = sqlx::query_scalar!("SELECT id FROM work_order.work_orders WHERE estate_id = $1 AND id = ANY($2)", estate.as_uuid(), &ids)
        .fetch_all(tx)
        .await
        .store()?;
    Ok(known.into_iter().map(Into::into).collect())
}

/// Writes a root cause.
pub(crate) async fn insert_root_cause(tx: &mut PgConnection, cipher: &FieldCipher, estate: ScopedEstate, cause: &RootCause) -> Result<()> {
    let answers = cause.answers.0.each_ref().map(|answer| answer.expose().as_str());
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&answers).map_err(Error::internal)?);
    let evidence: Vec<Uuid> = cause.evidence.iter().map(|order| order.as_uuid()).collect();
    sqlx::query!(
        "INSERT INTO work_order.root_causes (estate_id, id, category, answers, evidence, author_kind, author, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        estate.as_uuid(),
        cause.id.as_uuid(),
        cause.category,
        cipher.seal(answers_place(cause.id), plain.as_slice()),
        &evidence,
        cause.author.kind.as_str(),
        cause.author.subject,
        cause.create_time.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Writes what is done about one.
pub(crate) async fn insert_corrective_action(
    tx: &mut PgConnection,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    cause: RootCauseId,
    action: &CorrectiveAction,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO work_order.corrective_actions (estate_id, id, root_cause_id, description, responsible, start_date, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        estate.as_uuid(),
        action.id.as_uuid(),
        cause.as_uuid(),
        cipher.seal(action_place(action.id), action.description.expose()),
        action.responsible,
        action.start_date.to_sqlx() as jiff_sqlx::Date,
        action.create_time.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// One with its actions, if the scope has it. Two trips.
pub(crate) async fn load_root_cause(
    db: &mut PgConnection,
    cipher: &FieldCipher,
    scope: &Scope,
    id: RootCauseId,
) -> Result<Option<RootCause>> {
    let row = sqlx::query_as!(
        CauseRow,
        "SELECT estate_id, id, category, answers, evidence, author_kind, author, create_time
           FROM work_order.root_causes WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(&mut *db)
    .await
    .store()?;
    let Some(row) = row else { return Ok(None) };
    let mut cause = row.into_cause(cipher)?;
    let rows = sqlx::query!(
        "SELECT id, description, responsible, start_date AS \"start_date: jiff_sqlx::Date\",
                create_time AS \"create_time: jiff_sqlx::Timestamp\"
           FROM work_order.corrective_actions WHERE estate_id = $1 AND root_cause_id = $2 ORDER BY id",
        cause.estate_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    for row in rows {
        let plain = cipher.open(action_place(row.id), &row.description)?;
        cause.actions.push(CorrectiveAction {
            id: row.id.into(),
            description: Pii::new(std::str::from_utf8(&plain).map_err(Error::internal)?.to_owned()),
            responsible: row.responsible,
            start_date: row.start_date.to_jiff(),
            create_time: row.create_time.to_jiff(),
            effect: None,
        });
    }
    Ok(Some(cause))
}

/// Those of an estate after one, newest first, without their actions. Ids grow with time.
pub(crate) async fn list_root_causes(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RootCauseId>,
) -> Result<Vec<RootCause>> {
    let rows = sqlx::query_as!(
        CauseRow,
        "SELECT estate_id, id, category, answers, evidence, author_kind, author, create_time
           FROM work_order.root_causes WHERE estate_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        estate.as_uuid(),
        page.after.map(|after| after.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_cause(cipher)).collect()
}

/// Cases of a category, or below it, that happened in each of the stretches. What was no case, or another's duplicate, is none.
pub(crate) async fn count_of_category(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    category: &str,
    stretches: &[(Timestamp, Timestamp)],
) -> Result<Vec<u32>> {
    let (starts, ends): (Vec<_>, Vec<_>) = stretches.iter().map(|(start, end)| (start.to_sqlx(), end.to_sqlx())).unzip();
    let counts = sqlx::query_scalar!(
        r#"SELECT (SELECT count(*) FROM work_order.case_facts f
                    WHERE f.estate_id = $1 AND f.occur_time >= w.start_time AND f.occur_time < w.end_time AND f.cycle = 1
                      AND f.standing = 'valid' AND (f.category = $2 OR starts_with(f.category, $2 || '.'))) AS "count!"
             FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS w (start_time, end_time, place)
            ORDER BY w.place"#,
        estate.as_uuid(),
        category,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .fetch_all(db)
    .await
    .store()?;
    counts.into_iter().map(|count| u32::try_from(count).map_err(Error::internal)).collect()
}

/// Cases of a period that came again within so many days after the last one of the same unit and category was closed.
pub(crate) async fn list_rework(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    (from, to): (Timestamp, Timestamp),
    days: u32,
    page: &PageRequest<ReworkKey>,
) -> Result<Vec<Rework>> {
    let rows = sqlx::query!(
        r#"SELECT n.work_order_id, n.number, n.unit_id AS "unit_id!", n.category, n.occur_time AS "occur_time: jiff_sqlx::Timestamp",
                  e.work_order_id AS "earlier_id!", e.number AS "earlier_number!", e.close_time AS "close_time!: jiff_sqlx::Timestamp"
             FROM work_order.case_facts n
            CROSS JOIN LATERAL (
                SELECT f.work_order_id, f.number, c.close_time
                  FROM work_order.case_facts f
                 CROSS JOIN LATERAL (
                     SELECT max(l.close_time) AS close_time FROM work_order.case_facts l
                      WHERE l.estate_id = f.estate_id AND l.work_order_id = f.work_order_id AND l.close_time < n.occur_time) c
                 WHERE f.estate_id = n.estate_id AND f.unit_id = n.unit_id AND f.cycle = 1 AND f.occur_time < n.occur_time
                   AND f.category = n.category AND f.standing = 'valid' AND f.work_order_id <> n.work_order_id
                   AND c.close_time >= n.occur_time - make_interval(days => $4)
                 ORDER BY c.close_time DESC, f.work_order_id LIMIT 1) e
            WHERE n.estate_id = $1 AND n.occur_time >= $2 AND n.occur_time < $3 AND n.cycle = 1 AND n.unit_id IS NOT NULL
              AND n.standing = 'valid' AND n.category <> ''
              AND ($5::timestamptz IS NULL OR (n.occur_time, n.work_order_id) > ($5, $6))
            ORDER BY n.occur_time, n.work_order_id LIMIT $7"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
        i32::try_from(days).map_err(Error::internal)?,
        page.after.map(|key| key.occur_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.order.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let rework = rows.into_iter().map(|row| Rework {
        key: ReworkKey { occur_time: row.occur_time.to_jiff(), order: row.work_order_id.into() },
        number: row.number,
        unit: row.unit_id.into(),
        category: row.category,
        earlier: row.earlier_id.into(),
        earlier_number: row.earlier_number,
        close_time: row.close_time.to_jiff(),
    });
    Ok(rework.collect())
}
