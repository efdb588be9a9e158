//! Workers are put into an estate's roster, each with a verdict of its own. Four trips in one transaction, after a look for a
//! repetition.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::replay;
use steward_kit_store::{Claim, Effects, StoreResult};

use super::App;
use crate::domain::{Fault, Worker, check_batch};
use crate::store::put_workers;

/// What came of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerVerdict {
    /// New in the roster.
    Created,
    /// In place of what was there.
    Replaced,
    /// Left out.
    Refused(Fault),
}

impl App {
    /// Puts a batch; `answer` is given the verdicts in its order.
    pub(crate) async fn put_workers<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        estate: EstateId,
        batch: &[Worker],
        answer: impl Fn(&[WorkerVerdict]) -> R,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        let scoped = access.scope.estate(estate)?;
        self.rules.estates.get(estate).await?;
        let faults = check_batch(batch);
        let right: Vec<&Worker> = batch.iter().zip(&faults).filter(|(_, fault)| fault.is_none()).map(|(worker, _)| worker).collect();
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let new = put_workers(&mut tx, scoped, &right, now).await?;
        let verdict = |(worker, fault): (&Worker, &Option<Fault>)| match fault {
            Some(fault) => WorkerVerdict::Refused(*fault),
            None if new.contains(&worker.principal) => WorkerVerdict::Created,
            None => WorkerVerdict::Replaced,
        };
        let answer = answer(&batch.iter().zip(&faults).map(verdict).collect::<Vec<_>>());
        let effects = Effects { claim: Some(Claim::new(key, &answer)), events: Vec::new(), timers: Vec::new() };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_answer(key, error).await;
        }
        tx.commit().await.store()?;
        Ok(answer)
    }
}
