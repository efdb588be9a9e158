//! An import that waits for somebody too long ends: an upload that broke off, a plan nobody reviewed, a pause nobody ended.
//! Otherwise it would keep its estate from being imported, and a file with personal data, for ever. A step of a job, in its
//! transaction.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit_store::{Effects, TimerChange};

use super::App;
use crate::domain::estate_import::UPLOAD_WAITS;
use crate::domain::ids::EstateImportId;
use crate::jobs::EXPIRE_IMPORT;
use crate::store::imports::{lock_import, update_import};
use crate::store::refusal::refusal;

impl App {
    /// One timer looks after an import for as long as it is open. It was set when the import was created and looks at what
    /// has become of it since, so that no part of a file and no batch has to move it.
    pub(crate) async fn expire_estate_import(&self, tx: &mut PgConnection, id: EstateImportId, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("the end of an import that was left");
        let Some(import) = lock_import(tx, &scope, id).await?.filter(|import| !import.state.is_ended()) else {
            return Ok(Effects::none());
        };
        let Some(after) = import.expired(now) else {
            // Somebody went on with it, or it goes on by itself: look again when its time would be over.
            let again = import.expire_time().unwrap_or(now + UPLOAD_WAITS);
            let timers = vec![TimerChange::set(EXPIRE_IMPORT, id, "", import.estate_id, again)];
            return Ok(Effects { timers, ..Effects::none() });
        };
        self.files.forget(id);
        update_import(tx, &after, None, Effects::none().json(now)).await.map_err(refusal)?;
        tracing::info!(import = %id, estate = %after.estate_id, was = import.state.as_str(), "an import that nobody went on with expired");
        Ok(Effects { timers: vec![TimerChange::cancel_all(id)], ..Effects::none() })
    }
}
