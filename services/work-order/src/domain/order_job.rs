//! One verb done to many orders, each with a verdict of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::codes;
use steward_kit::ids::{EstateId, WorkOrderId};

use super::actor::Actor;
use super::assign::{Assign, assign};
use super::close::{Close, close};
use super::context::Context;
use super::refusal::Refusal;
use super::transition::Transition;
use super::work_order::{CloseCode, WorkOrder};

steward_kit::define_id!(OrderJobId, "order job");

/// Reason of an order that went another way before its turn came.
pub const MOVED_ON: &str = "MOVED_ON";

codes! {
    /// What came of one order.
    ItemVerdict {
        /// It was done.
        Done = "done",
        /// It was refused; the order is as it was.
        Refused = "refused",
    }
}

/// What is done to each order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// What one person has becomes another's.
    Reassign {
        /// Staff subject who has it.
        from: String,
        /// Staff subject who gets it.
        to: String,
    },
    /// It is closed.
    Close {
        /// How it ended.
        close_code: CloseCode,
    },
}

/// A job and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderJob {
    /// Id.
    pub id: OrderJobId,
    /// Estate of its orders.
    pub estate_id: EstateId,
    /// What is done.
    pub task: Task,
    /// Who started it.
    pub actor: Actor,
    /// Orders in all.
    pub item_count: u32,
    /// Orders to which it was done.
    pub done_count: u32,
    /// Orders to which it was refused.
    pub refused_count: u32,
    /// When it was started.
    pub create_time: Timestamp,
    /// When the last order had its verdict.
    pub end_time: Option<Timestamp>,
}

/// One order of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobItem {
    /// Place in the job, from 0.
    pub place: u32,
    /// The order.
    pub order: WorkOrderId,
    /// What came of it; `None` while it waits.
    pub verdict: Option<ItemVerdict>,
    /// Why it was refused; empty otherwise.
    pub reason: String,
    /// When it had its verdict.
    pub settle_time: Option<Timestamp>,
}

/// Does the task to one order: what changes, or why not.
///
/// # Errors
/// The reason as `ErrorReason` names it.
pub fn do_task(order: &WorkOrder, task: &Task, actor: &Actor, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, &'static str> {
    let reason = |refusal: Refusal| refusal.reason();
    match task {
        Task::Reassign { from, to } => {
            // Somebody gave it to somebody else meanwhile, or took it away: that was meant for this very order.
            if !order.state.is_under_way() || order.assignee.as_ref() != Some(from) {
                return Err(MOVED_ON);
            }
            // A job gives nobody more than their limit: whoever may, says so for one order.
            let given = Assign { actor: actor.clone(), assignee: to.clone(), over_limit_reason: String::new(), roles: Vec::new() };
            assign(order, &given, ctx, now).map_err(reason)
        }
        Task::Close { close_code } => close(order, &Close { actor: actor.clone(), close_code: *close_code }, ctx, now).map_err(reason),
    }
}
