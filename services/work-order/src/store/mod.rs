//! SQL only. A function takes a connection (or a pool) and the caller's scope; nothing here decides.
//!
//! | file | one idea |
//! |---|---|
//! | `row` | an order as rows and as the aggregate |
//! | `texts` | what customers and staff wrote, sealed |
//! | `load` | reading: orders with their clocks in one query; lists |
//! | `create` `save` | writing: one statement each, whatever the verb |
//! | `history` | the chain, read in pages |
//! | `units` | what creating an order needs |
//! | `facts` | what figures are counted from |
//! | `cases` | the cases behind a cell, and which hot spots were told |
//! | `around` | cases around a case, for major complaints |
//! | `outlooks` | running clocks, and how clocks went of late |
//! | `order_jobs` | jobs over many orders |
//! | `roster` | who works in an estate |
//! | `spot_checks` `root_causes` | what is learnt from finished work |
//! | `counting` | orders whose clocks count by a calendar |

mod around;
mod cases;
mod counting;
mod create;
mod facts;
mod history;
mod load;
mod order_jobs;
mod outlooks;
mod root_causes;
mod roster;
mod row;
mod save;
mod spot_checks;
mod texts;
mod units;

pub(crate) use around::count_around;
pub(crate) use cases::{CaseEntry, CaseEntryKey, keep_hotspots, list_cases};
pub(crate) use counting::list_counting;
pub(crate) use create::{Created, create_work_order};
pub(crate) use facts::{list_case_facts, list_deadlines};
pub(crate) use history::{list_actions, list_history};
pub(crate) use load::{
    CallKey, OfCustomer, OrderKey, list_duplicate_candidates, list_owed_calls, list_work_orders_of_assignee, list_work_orders_of_customer,
    list_work_orders_of_estate, load_work_order, load_work_orders, search_work_orders,
};
pub(crate) use order_jobs::{
    Settled, insert_job_of_assignee, insert_job_of_orders, list_order_job_items, list_waiting_orders, load_order_job, settle_job_items,
};
pub(crate) use outlooks::{DueKey, RunningClock, RunningFilter, list_running_clocks, list_settled_clocks};
pub(crate) use root_causes::{
    count_of_category, insert_corrective_action, insert_root_cause, known_orders, list_rework, list_root_causes, load_root_cause,
};
pub(crate) use roster::{
    Rostered, count_workers, find_last_visitor, list_candidates, list_lines, list_workers, load_worker, look_at_worker, put_workers,
};
pub(crate) use save::{Change, Saved, lock_work_orders, save_transitions};
pub(crate) use spot_checks::{
    CheckKey, insert_spot_checks, list_closed_orders, list_spot_checks, lock_spot_check, mark_overdue, save_spot_check,
};
pub(crate) use texts::{answer_place, sealed_tables};
pub(crate) use units::{KnownUnit, list_buildings, put_units};
