//! The files behind figures, for many estates at once: each estate with its own instants and day, because each has its own zone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::app::RowKey;
use crate::domain::figures::Standing;

/// A period of an estate.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// The estate, found in the caller's scope.
    pub(crate) estate: ScopedEstate,
    /// First instant.
    pub(crate) start: Timestamp,
    /// What was recorded before counts.
    pub(crate) end: Timestamp,
    /// First local day.
    pub(crate) first_day: Date,
    /// The local day on which tenures of files hold; the last one that has come.
    pub(crate) day: Date,
    /// Name of the zone.
    pub(crate) zone: String,
}

/// A file or a stay, judged.
#[derive(Clone, Debug)]
pub(crate) struct JudgedRow {
    pub(crate) key: RowKey,
    pub(crate) number: String,
    pub(crate) standing: Standing,
}

/// A row of `file_rows` or `stay_rows`, as it is stored.
pub(super) struct StoredRow {
    pub(super) subject_id: Uuid,
    pub(super) subject_number: String,
    pub(super) event_time: jiff_sqlx::Timestamp,
    pub(super) reason: String,
}

impl StoredRow {
    /// The row with its standing as a type.
    pub(super) fn judged(self) -> Result<JudgedRow> {
        Ok(JudgedRow {
            key: RowKey { at: self.event_time.to_jiff(), id: self.subject_id },
            number: self.subject_number,
            standing: word(&self.reason, Standing::parse)?,
        })
    }
}

/// How many, or who, of an estate stand so.
pub(crate) type Standings<T> = BTreeMap<Uuid, Vec<(Standing, T)>>;

/// How the files of estates stand, counted by estate. One trip.
pub(crate) async fn count_files(db: &mut PgConnection, subject: &str, stretches: &[Stretch]) -> Result<Standings<i64>> {
    let (estates, ends, days) = columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT f.estate_id AS "estate_id!", f.reason AS "reason!", count(*) AS "count!"
             FROM customer.file_rows($1, $2::uuid[], $3::timestamptz[], $4::date[]) f GROUP BY f.estate_id, f.reason"#,
        subject,
        &estates,
        &ends as _,
        &days as _,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut standings = Standings::new();
    for row in rows {
        standings.entry(row.estate_id).or_default().push((word(&row.reason, Standing::parse)?, row.count));
    }
    Ok(standings)
}

/// The files of an estate by time, after the page's start; one more than fit on it. One trip.
pub(crate) async fn list_files(
    db: &mut PgConnection,
    subject: &str,
    stretch: &Stretch,
    page: &PageRequest<RowKey>,
) -> Result<Vec<JudgedRow>> {
    let (estates, ends, days) = columns(std::slice::from_ref(stretch));
    let rows = sqlx::query_as!(
        StoredRow,
        r#"SELECT f.subject_id AS "subject_id!", f.subject_number AS "subject_number!", f.event_time AS "event_time!", f.reason AS "reason!"
             FROM customer.file_rows($1, $2::uuid[], $3::timestamptz[], $4::date[]) f
            WHERE $5::timestamptz IS NULL OR (f.event_time, f.subject_id) > ($5, $6::uuid)
            ORDER BY f.event_time, f.subject_id LIMIT $7"#,
        subject,
        &estates,
        &ends as _,
        &days as _,
        page.after.map(|after| after.at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|after| after.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(StoredRow::judged).collect()
}

fn columns(stretches: &[Stretch]) -> (Vec<Uuid>, Vec<jiff_sqlx::Timestamp>, Vec<jiff_sqlx::Date>) {
    (
        stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect(),
        stretches.iter().map(|stretch| stretch.end.to_sqlx()).collect(),
        stretches.iter().map(|stretch| stretch.day.to_sqlx()).collect(),
    )
}
