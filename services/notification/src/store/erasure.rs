//! Forgetting: a customer, and keys that nothing asks for any more.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgPool};
use steward_kit::Result;
use steward_kit::ids::CustomerId;
use steward_kit_store::StoreResult;

/// Removes what is known of a customer and the words of everything that was said to them; withdraws what they agreed to.
/// Counts, states, times and proofs of consent stay. Three trips; again does nothing.
pub(crate) async fn forget_customer(tx: &mut PgConnection, customer: CustomerId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        r#"WITH record AS (
               DELETE FROM notification.customers WHERE id = $1
           ), estates AS (
               DELETE FROM notification.customer_estates WHERE customer_id = $1
           ), preferences AS (
               DELETE FROM notification.preferences WHERE customer_id = $1
           )
           UPDATE notification.consents SET withdraw_time = $2, row_version = row_version + 1
            WHERE customer_id = $1 AND withdraw_time IS NULL
           -- unscoped: an event said so"#,
        customer.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(&mut *tx)
    .await
    .store()?;
    // Without a text a message that waits reaches nobody: it is suppressed when its time comes.
    sqlx::query!(
        r#"UPDATE notification.messages SET content = content - 'texts' - 'payload', row_version = row_version + 1
            WHERE customer_id = $1 AND content ?| ARRAY['texts', 'payload']
           -- unscoped: an event said so"#,
        customer.as_uuid(),
    )
    .execute(&mut *tx)
    .await
    .store()?;
    sqlx::query!(
        r#"WITH arrivals AS (
               DELETE FROM notification.inbox_arrivals WHERE customer_id = $1
           )
           UPDATE notification.inbox_items SET title = '', body = '' WHERE customer_id = $1 AND (title <> '' OR body <> '')
           -- unscoped: an event said so"#,
        customer.as_uuid(),
    )
    .execute(&mut *tx)
    .await
    .store()?;
    Ok(())
}

/// Forgets business keys of messages that are older than `before`, a chunk at a time; says how many.
pub(crate) async fn forget_keys(db: &PgPool, before: Timestamp, chunk: i64) -> Result<u64> {
    let gone = sqlx::query!(
        "DELETE FROM notification.message_keys WHERE key IN (
             SELECT key FROM notification.message_keys WHERE create_time < $1 ORDER BY create_time LIMIT $2)
         -- unscoped: forgets for every estate",
        before.to_sqlx() as jiff_sqlx::Timestamp,
        chunk,
    )
    .execute(db)
    .await
    .store()?;
    Ok(gone.rows_affected())
}
