//! One verb done to many orders (lesson 8): a leaver's are handed over, a storm's closed. The orders are written down when the job starts;
//! from then on each batch is the transaction of a timer, which does the verb, writes the verdicts and sets the timer of the next batch. A
//! crash at any order loses its batch's transaction alone, and the timer fires again: nothing is lost, nothing done twice.

use std::collections::HashMap;

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::{Access, Scope};
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::replay;
use steward_kit_store::{Claim, Effects, StoreResult, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use crate::domain::{Actor, Context, JobItem, OrderJob, OrderJobId, Task, WorkOrder, do_task};
use crate::events::effects_of;
use crate::store::{
    Change, Saved, Settled, insert_job_of_assignee, insert_job_of_orders, list_order_job_items, list_waiting_orders, load_order_job,
    load_work_orders, lock_work_orders, look_at_worker, save_transitions, settle_job_items,
};

/// Kind of the timer that takes a job's next orders. Its key is empty.
pub(crate) const ORDER_JOB: &str = "order_job";

/// Orders of one transaction.
const BATCH: i64 = 25;

impl App {
    /// Starts a job; `orders` are those it is about, unless the task itself says which. Three trips in one transaction, after a look for a
    /// repetition.
    pub(crate) async fn start_order_job<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        estate: EstateId,
        (task, orders): (Task, Vec<WorkOrderId>),
        answer: impl Fn(&OrderJob) -> R,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        let scoped = access.scope.estate(estate)?;
        self.rules.estates.get(estate).await?;
        let now = self.clock.now();
        let mut job = OrderJob {
            id: OrderJobId::new(),
            estate_id: estate,
            task,
            actor: Actor::of(&access.principal),
            item_count: 0,
            done_count: 0,
            refused_count: 0,
            create_time: now,
            end_time: None,
        };
        let mut tx = self.db.begin().await?;
        match &job.task {
            Task::Reassign { from, .. } => job.item_count = insert_job_of_assignee(&mut tx, scoped, &job, from).await?,
            Task::Close { .. } => {
                let orders: Vec<Uuid> = orders.iter().map(|id| id.as_uuid()).collect();
                job.refused_count = insert_job_of_orders(&mut tx, scoped, &job, &orders).await?;
                job.item_count = u32::try_from(orders.len()).map_err(Error::internal)?;
            }
        }
        let mut effects = Effects { claim: None, events: Vec::new(), timers: Vec::new() };
        if job.refused_count == job.item_count {
            job.end_time = Some(now);
        } else {
            effects.timers.push(TimerChange::set(ORDER_JOB, job.id, String::new(), estate, now));
        }
        let answer = answer(&job);
        effects.claim = Some(Claim::new(key, &answer));
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_answer(key, error).await;
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        Ok(answer)
    }

    /// One job. One trip.
    pub(crate) async fn get_order_job(&self, access: &Access, id: OrderJobId) -> Result<OrderJob> {
        load_order_job(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found("order job", id))
    }

    /// The orders of a job with their verdicts, one more than the page shows. Two trips.
    pub(crate) async fn list_order_job_items(&self, access: &Access, id: OrderJobId, page: &PageRequest<u32>) -> Result<Vec<JobItem>> {
        let job = self.get_order_job(access, id).await?;
        list_order_job_items(self.db.pool(), &job, page).await
    }

    /// Takes a job's next orders. Five trips, and one or two for each order: whoever gets it is looked at anew, since they have one more.
    pub(crate) async fn run_order_job(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("a job goes on");
        let Some(job) = load_order_job(&mut *tx, &scope, id.into()).await? else { return Ok(Effects::none()) };
        let ids = list_waiting_orders(&mut *tx, &job, BATCH).await?;
        lock_work_orders(tx, &scope, &ids).await?;
        let orders = load_work_orders(&mut *tx, &self.cipher, &scope, &ids).await?;
        let mut orders: HashMap<WorkOrderId, WorkOrder> = orders.into_iter().map(|order| (order.id, order)).collect();
        let (mut settled, mut effects) = (Vec::with_capacity(ids.len()), Effects::none());
        for id in ids.into_iter().map(WorkOrderId::from) {
            let Some(before) = orders.remove(&id) else {
                settled.push(Settled::refused(id, "WORK_ORDER_NOT_FOUND"));
                continue;
            };
            match self.do_task(tx, &job, &before, now).await? {
                Ok(followed) => {
                    settled.push(Settled::done(id));
                    effects.merge(followed);
                }
                Err(reason) => settled.push(Settled::refused(id, reason)),
            }
        }
        if settle_job_items(tx, &job, &settled, now).await? {
            effects.timers.push(TimerChange::set(ORDER_JOB, job.id, String::new(), job.estate_id, now));
        }
        Ok(effects)
    }

    /// Does the task to one order that is locked: what follows, or why not.
    async fn do_task(
        &self,
        tx: &mut PgConnection,
        job: &OrderJob,
        order: &WorkOrder,
        now: Timestamp,
    ) -> Result<Result<Effects, &'static str>> {
        let rules = self.rules.of(order.estate_id, order.receive_time).await?;
        let lines = self.lines_around(order, false).await?;
        let taker = match &job.task {
            Task::Reassign { to, .. } => look_at_worker(&mut *tx, Scope::system("a job goes on").estate(job.estate_id)?, to).await?,
            Task::Close { .. } => None,
        };
        let context = Context { lines: &lines, taker: taker.as_ref(), ..rules.context() };
        let transition = match do_task(order, &job.task, &job.actor, &context, now) {
            Ok(transition) => transition,
            Err(reason) => return Ok(Err(reason)),
        };
        let change = Change { before: order, transition: &transition };
        match save_transitions(&mut *tx, &self.cipher, &[change], &Effects::none(), now).await? {
            Ok(Saved::Yes) => Ok(Ok(effects_of(&transition, None))),
            // Somebody gave its taker another one meanwhile: the timer is tried again as a whole.
            Ok(Saved::Stale) => Err(Error::Stale { resource: "work order" }),
            Err(error) => Err(store_error(error)),
        }
    }
}
