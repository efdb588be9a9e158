//! Forums beside what every document has: which there were in a year.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;

/// Forums of an estate that begin between two instants: kind, when, and whether it was held. One trip.
pub(crate) async fn forums_between(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(String, Timestamp, bool)>> {
    let rows = sqlx::query!(
        r#"SELECT document ->> 'kind' AS "kind!", sort_time, state <> 'planned' AS "is_held!" FROM care.forums
            WHERE estate_id = $1 AND sort_time >= $2 AND sort_time < $3 ORDER BY sort_time, id"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.kind, row.sort_time.to_jiff(), row.is_held)).collect())
}
