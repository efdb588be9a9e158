//! Use cases, one file each. RPCs, event consumers and jobs call the same ones.
//!
//! A verb on an order is `verb_noun.rs`: the domain decides, [`transact`] does the rest. Each says how many round trips it
//! costs.

mod accept_work_order;
mod agree_appointment;
mod answer_offer;
mod approve_suspension;
mod arrive_on_site;
mod assess_work_order;
mod assign_work_order;
mod begin_estate_day;
mod by_timers;
mod cancel_work_order;
mod check_policies;
mod classify_work_order;
mod close_silent_orders;
mod close_work_order;
mod complete_work_order;
mod compute_metrics;
mod confirm_quote;
mod contact_customer;
mod count_case_cells;
mod count_cases;
mod create_order_by_event;
mod create_work_order;
mod dispatch_work_order;
mod draw_spot_checks;
mod end_longest_pauses;
mod expire_callback_forms;
mod explain_clock;
mod explain_dispatch;
mod explain_metric;
mod find_hotspots;
mod follow_leads;
mod forecast_demand;
mod grab_work_order;
mod judge_major;
mod learn_unit;
mod list_clock_outlooks;
mod list_duplicate_candidates;
mod list_owed_calls;
mod load_calendar_year;
mod load_working_hours;
mod merge_work_orders;
mod order_jobs;
pub(crate) mod policy_documents;
mod preview_rules;
mod put_workers;
mod quality_documents;
mod quote_work;
mod read_calendars;
mod read_work_orders;
mod read_workers;
mod recompute_clocks;
mod record_callback;
mod record_spot_check;
mod reopen_work_order;
mod report_callbacks;
mod resume_work_order;
mod root_causes;
mod rules;
mod sealed_answer;
mod set_liability;
mod split_work_order;
mod start_work;
mod suspend_work_order;
mod take_clock_steps;
mod transact;
mod urge_work_order;
mod warranty_documents;
mod watch;

use std::sync::Arc;

use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::Db;
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::numbers::Numbers;
use steward_kit_store::policy::PolicyStore;
use steward_kit_store::rollups::Rollups;

use count_cases::CountCases;
use rules::Rules;

pub(crate) use check_policies::OwnPolicies;
pub(crate) use create_order_by_event::AskedOrder;
pub(crate) use create_work_order::Report;
pub(crate) use forecast_demand::{Demand, said as month};
pub(crate) use learn_unit::UnitOwner;
pub(crate) use order_jobs::ORDER_JOB;
pub(crate) use preview_rules::{OtherRules, Preview, Seen};
pub(crate) use put_workers::WorkerVerdict;
pub(crate) use read_calendars::YearView;
pub(crate) use read_work_orders::ListFilter;
pub(crate) use recompute_clocks::{Progress, RECOMPUTE_CLOCKS};
pub(crate) use record_spot_check::CheckResult;
pub(crate) use report_callbacks::CallbackReport;
pub(crate) use root_causes::{NewAction, NewRootCause};
pub(crate) use transact::{Call, Target};
pub(crate) use watch::{WatchHub, Watcher};

/// What use cases work with. Shared by RPCs and jobs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    cipher: FieldCipher,
    rules: Arc<Rules>,
    rollups: Rollups<CountCases>,
    numbers: Numbers,
    watch: WatchHub,
    units: Option<UnitOwner>,
}

impl App {
    /// The app over a database; `units` is asked about units that no event has told of yet.
    pub(crate) fn new(db: Db, clock: Clock, cipher: FieldCipher, units: Option<UnitOwner>) -> Arc<Self> {
        let rules = Rules::new(PolicyStore::new(db.clone()), CalendarStore::new(db.clone()), EstateDirectory::new(db.clone()));
        let rules = Arc::new(rules);
        let rollups = Rollups::new(db.clone(), clock.clone(), CountCases::new(rules.clone()));
        let numbers = Numbers::new(&db, "WO");
        Arc::new(Self { db, clock, cipher, rules, rollups, numbers, watch: WatchHub::default(), units })
    }

    /// What seals, for the job of a key rotation.
    pub(crate) fn cipher(&self) -> &FieldCipher {
        &self.cipher
    }

    /// The estates as this service knows them.
    pub(crate) fn estates(&self) -> &EstateDirectory {
        &self.rules.estates
    }

    /// What figures came to.
    pub(crate) fn rollups(&self) -> &Rollups<CountCases> {
        &self.rollups
    }

    /// Who watches which order.
    pub(crate) fn watchers(&self) -> &WatchHub {
        &self.watch
    }

    /// Watches an order from now on.
    pub(crate) fn watch(&self, id: steward_kit::ids::WorkOrderId) -> Watcher {
        self.watch.watch(id)
    }
}
