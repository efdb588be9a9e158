//! What is still counted of an estate, page by page in the order of ids: for the recount after a calendar was loaded.

use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::round::Round;

/// Rows of one page.
pub(crate) const PAGE: i64 = 500;

macro_rules! counting {
    ($($(#[$doc:meta])* $name:ident: $table:tt where $state:tt),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) async fn $name(db: impl PgExecutor<'_>, estate: EstateId, after: Option<Uuid>) -> Result<Vec<Uuid>> {
            let rows = sqlx::query!(
                "SELECT id FROM " + $table + " WHERE estate_id = $1 AND ($2::uuid IS NULL OR id > $2) AND " + $state + " ORDER BY id LIMIT $3
                 -- unscoped: a timer named the estate",
                estate.as_uuid(),
                after,
                PAGE,
            )
            .fetch_all(db)
            .await
            .store()?;
            Ok(rows.into_iter().map(|row| row.id).collect())
        }
    )+};
}

counting! {
    /// Touchpoints whose time, window or confirmation lies ahead. One trip.
    touchpoints: "care.touchpoints" where "state IN ('planned', 'due', 'excluded', 'acted')",
    /// Rounds that owe their report. One trip.
    rounds: "care.visit_rounds" where "state = 'ended'",
    /// Obligations that are owed. One trip.
    obligations: "care.obligations" where "state IN ('open', 'overdue')",
    /// Forums that owe their minutes. One trip.
    forums: "care.forums" where "state IN ('held', 'overdue')",
}

/// Visits that owe their form, each with its round. One trip.
pub(crate) async fn visits(db: impl PgExecutor<'_>, estate: EstateId, after: Option<Uuid>) -> Result<Vec<(Uuid, Round)>> {
    let rows = sqlx::query!(
        r#"SELECT v.id, r.document AS "round: Json<Round>" FROM care.visits v
             JOIN care.visit_rounds r ON r.estate_id = v.estate_id AND r.id = v.round_id
            WHERE v.estate_id = $1 AND ($2::uuid IS NULL OR v.id > $2) AND v.state = 'done' ORDER BY v.id LIMIT $3
           -- unscoped: a timer named the estate"#,
        estate.as_uuid(),
        after,
        PAGE,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.id, row.round.0)).collect())
}
