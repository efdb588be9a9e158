//! The result of a spot check (WO-74), and what happens when there is none in time. Recording: three trips in one transaction, after a
//! look for a repetition; telling: one.

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::{Access, Scope};
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, StoreResult, TimerChange};
use steward_proto::work_order::v1 as pb;

use super::App;
use crate::domain::{SpotCheck, SpotCheckId};
use crate::events::SPOT_CHECK_DUE;
use crate::store::{CheckKey, list_spot_checks, lock_spot_check, mark_overdue, save_spot_check};

/// A result.
#[derive(Debug)]
pub(crate) struct CheckResult {
    pub(crate) id: SpotCheckId,
    pub(crate) passed: bool,
    pub(crate) finding_codes: Vec<String>,
}

impl App {
    /// Records a result.
    pub(crate) async fn record_spot_check<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        result: CheckResult,
        answer: impl Fn(&SpotCheck) -> R,
    ) -> Result<R> {
        if let Some(first) = self.answered(key).await? {
            return Ok(first);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let found = lock_spot_check(&mut tx, &access.scope, result.id).await?;
        let before = found.ok_or_else(|| Error::not_found("spot check", result.id))?;
        let recorded = match before.recorded(&access.principal.subject, result.passed, result.finding_codes, now) {
            Ok(recorded) => recorded,
            Err(refusal) => {
                drop(tx);
                // A twin may have been faster.
                return self.answered(key).await?.ok_or_else(|| refusal.into());
            }
        };
        let scoped = access.scope.estate(recorded.estate_id)?;
        save_spot_check(&mut tx, scoped, &recorded).await?;
        let answer = answer(&recorded);
        let timers = vec![TimerChange::cancel(SPOT_CHECK_DUE, recorded.id, "")];
        let effects = Effects { claim: Some(self.sealed_claim(key, &answer)), events: Vec::new(), timers };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_sealed(key, error).await;
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        Ok(answer)
    }

    /// Spot checks of an estate, one more than the page shows. One trip.
    pub(crate) async fn list_spot_checks(
        &self,
        access: &Access,
        estate: EstateId,
        open_only: bool,
        page: &PageRequest<CheckKey>,
    ) -> Result<Vec<SpotCheck>> {
        list_spot_checks(self.db.pool(), access.scope.estate(estate)?, open_only, page).await
    }

    /// A spot check is due: if it is still open, that is told.
    pub(crate) async fn tell_overdue_check(&self, tx: &mut PgConnection, id: SpotCheckId, due: Timestamp) -> Result<Effects> {
        let Some(check) = mark_overdue(tx, &Scope::system("a spot check is due"), id).await? else { return Ok(Effects::none()) };
        let fact = pb::SpotCheckOverdue {
            spot_check_id: check.id.to_string(),
            estate_id: check.estate_id.to_string(),
            work_order_id: check.order.to_string(),
            work_order_number: check.number,
            due_time: Some(to_timestamp(due)),
            notify_roles: check.notify_roles,
        };
        let event = NewEvent::new(check.id, check.estate_id, due, &fact);
        Ok(Effects { claim: None, events: vec![event], timers: Vec::new() })
    }
}
