//! Imports that go on by themselves: each step of one is a timer that is due now, so that any replica takes it up, a crash
//! loses nothing, and a step that fails is tried again.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::Effects;
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use uuid::Uuid;

use crate::app::App;
use crate::store::imports::lock_imports;

/// Kind of the timer whose firing judges the next rows of an import.
pub(crate) const PLAN_IMPORT: &str = "plan_estate_import";
/// Kind of the timer whose firing ends an import that was left.
pub(crate) const EXPIRE_IMPORT: &str = "expire_estate_import";
/// Kind of the timer whose firing writes the next rows of an import.
pub(crate) const WRITE_IMPORT: &str = "write_estate_import";

/// The handlers of this service's timers.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    vec![Arc::new(PlanImport(Arc::clone(app))), Arc::new(WriteImport(Arc::clone(app))), Arc::new(ExpireImport(Arc::clone(app)))]
}

struct PlanImport(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for PlanImport {
    fn kind(&self) -> &'static str {
        PLAN_IMPORT
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        lock_imports(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.plan_estate_import(tx, timer.subject_id.into(), now).await
    }
}

struct WriteImport(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for WriteImport {
    fn kind(&self) -> &'static str {
        WRITE_IMPORT
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        lock_imports(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.write_estate_import(tx, timer.subject_id.into(), now).await
    }
}

struct ExpireImport(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for ExpireImport {
    fn kind(&self) -> &'static str {
        EXPIRE_IMPORT
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        lock_imports(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.expire_estate_import(tx, timer.subject_id.into(), now).await
    }
}
