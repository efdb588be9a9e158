//! The edge: decode, ask the app, encode. Nothing here decides.
//!
//! | file | one idea |
//! |---|---|
//! | `work_orders` `analysis` `calendars` `clocks` `liability` `lineage` `order_jobs` `quality` `roster` | one resource each: its RPCs |
//! | `mutation` | what every mutation has: a request id, a method, an answer |
//! | `dispatch` | how orders come to somebody, in messages |
//! | `decode` `encode` | between the contract's messages and the domain's types |
//! | `origin` | where the proof of a report lies |
//! | `watch` | the stream of an order |

mod analysis;
mod calendars;
mod clocks;
mod decode;
mod dispatch;
mod encode;
mod field_work;
mod liability;
mod lineage;
mod metrics;
mod mutation;
mod order_jobs;
mod origin;
mod quality;
mod roster;
mod watch;
mod work_orders;

use steward_kit::Result;
use steward_kit::auth::Access;
use tonic::Request;

pub(crate) use analysis::Analysis;
pub(crate) use calendars::Calendars;
pub(crate) use clocks::Clocks;
pub(crate) use liability::Liabilities;
pub(crate) use lineage::Lineages;
pub(crate) use metrics::Metrics;
pub(crate) use order_jobs::OrderJobs;
pub(crate) use quality::Quality;
pub(crate) use roster::Roster;
pub(crate) use work_orders::WorkOrders;

/// A request taken apart: who asks, and what.
fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}
