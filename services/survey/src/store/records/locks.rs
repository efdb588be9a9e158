//! Rows that a timer is about, locked until its transaction ends, in one order, so that two writers never wait for each other.

use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

macro_rules! locks {
    ($($(#[$doc:meta])* $name:ident = $table:tt),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) async fn $name(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
            sqlx::query!(
                "SELECT id FROM survey." + $table + " WHERE id = ANY($1) ORDER BY id FOR UPDATE -- unscoped: timers are of every estate",
                ids
            )
            .fetch_all(tx)
            .await
            .store()?;
            Ok(())
        }
    )+};
}

locks! {
    /// Waves. One trip.
    lock_waves = "waves",
    /// Feedback items. One trip.
    lock_feedback = "feedback_items",
    /// Improvement plans. One trip.
    lock_plans = "improvement_plans",
    /// Mystery visits. One trip.
    lock_mystery_visits = "mystery_visits",
    /// Invitations. One trip.
    lock_invitations = "invitations",
}
