//! What customers want of messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::ids::CustomerId;
use steward_kit_store::{Effects, StoreResult};

use super::code;
use crate::domain::codes::{Channel, Class, Language};
use crate::domain::preference::{Preferences, QuietHours};

/// Classes and channels from their texts.
pub(super) fn read_classes(classes: BTreeMap<String, Vec<String>>) -> Result<BTreeMap<Class, Vec<Channel>>> {
    let read = |(class, channels): (String, Vec<String>)| {
        let channels = channels.iter().map(|text| code(Channel::parse(text), "classes")).collect::<Result<Vec<_>>>()?;
        Ok((code(Class::parse(&class), "classes")?, channels))
    };
    classes.into_iter().map(read).collect()
}

/// The preferences of a customer whom the caller's scope was found to have; the defaults when nothing was said. One trip.
pub(crate) async fn load_preferences(db: impl PgExecutor<'_>, customer: CustomerId) -> Result<Preferences> {
    let row = sqlx::query!(
        r#"SELECT language, classes AS "classes: Json<BTreeMap<String, Vec<String>>>", quiet_from, quiet_to, row_version, update_time
             FROM notification.preferences WHERE customer_id = $1
           -- unscoped: the customer was found in the caller's scope before"#,
        customer.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    let Some(row) = row else { return Ok(Preferences::defaults(customer)) };
    Ok(Preferences {
        customer_id: customer,
        language: Language::parse(&row.language),
        classes: read_classes(row.classes.0)?,
        quiet_hours: row.quiet_from.zip(row.quiet_to).and_then(|(from, to)| QuietHours::parse(&from, &to)),
        row_version: row.row_version,
        update_time: Some(row.update_time.to_jiff()),
    })
}

/// Writes preferences over version `before` (0: none yet), with the effects; false when somebody else was faster. One
/// trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn save_preferences(
    db: impl PgExecutor<'_>,
    new: &Preferences,
    before: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH saved AS (
               INSERT INTO notification.preferences AS p (customer_id, language, classes, quiet_from, quiet_to, row_version, update_time)
               SELECT $1, $2, $3, $4, $5, $6::bigint + 1, $7
                WHERE $6 = 0 OR EXISTS (SELECT FROM notification.preferences WHERE customer_id = $1 AND row_version = $6)
               ON CONFLICT ON CONSTRAINT preferences_pkey DO UPDATE
                   SET language = EXCLUDED.language, classes = EXCLUDED.classes, quiet_from = EXCLUDED.quiet_from,
                       quiet_to = EXCLUDED.quiet_to, row_version = EXCLUDED.row_version, update_time = EXCLUDED.update_time
                 WHERE p.row_version = $6
            RETURNING customer_id
           )
           SELECT (SELECT count(*) FROM saved) AS "saved!", (SELECT notification.write_effects($8) FROM saved)::text AS effects
           -- unscoped: the customer was found in the caller's scope before"#,
        new.customer_id.as_uuid(),
        new.language.map_or("", Language::as_str),
        Json(&new.classes) as _,
        new.quiet_hours.as_ref().map(|hours| hours.from.to_string()),
        new.quiet_hours.as_ref().map(|hours| hours.to.to_string()),
        before,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.saved == 1)
}
