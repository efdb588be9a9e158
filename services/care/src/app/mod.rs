//! Use cases. RPCs, event consumers, timers and workers call the same ones.

mod act;
mod activities;
mod annual_plans;
mod audience;
mod batches;
mod by_timer;
mod care_fund;
mod catalogue;
mod contacts;
mod count_care;
mod dates;
mod enrolments;
mod facts;
mod forums;
mod metrics;
mod obligations;
mod package_uses;
mod parcels;
mod plan_programme;
mod plan_timers;
mod prepare_round;
mod programmes;
mod recount;
mod registrations;
mod residents;
mod rounds;
mod rules;
mod sealing;
mod service_packages;
mod stock;
mod touchpoints;
mod transact;
mod visits;
mod wakes;

use std::sync::Arc;

use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::Db;
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::policy::PolicyStore;
use steward_kit_store::rollups::Rollups;

use count_care::CountCare;
use rules::RuleBook;

pub(crate) use annual_plans::{Part315, Standing315};
pub(crate) use audience::Audience;
pub(crate) use batches::{Handover, NewBatch};
pub(crate) use care_fund::{Answer as FundAnswer, NewCommitment};
pub(crate) use catalogue::Catalogue;
pub(crate) use contacts::{NewContact, Quota};
pub(crate) use dates::NewDate;
pub(crate) use enrolments::NewEnrolment;
pub(crate) use forums::NewForum;
pub(crate) use package_uses::NewUse;
pub(crate) use parcels::NewParcel;
pub(crate) use plan_timers::{daily_timer, estate_of_key};
pub(crate) use programmes::{NewProgramme, ProgrammeReport};
pub(crate) use rounds::{NewRound, VisitCounts};
pub(crate) use sealing::sealed_tables;
pub(crate) use stock::{NewItem, StockAnswer};
pub(crate) use touchpoints::NewTouchpoint;
pub(crate) use transact::{Call, Target};
pub(crate) use visits::Brief;
pub(crate) use wakes::{Wakes, Work};

/// What use cases work with. Shared by RPCs and jobs.
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) rules: Arc<RuleBook>,
    pub(crate) wakes: Wakes,
    pub(crate) cipher: FieldCipher,
    rollups: Rollups<CountCare>,
    audience: Audience,
}

impl App {
    /// The app over a database.
    pub(crate) fn new(db: Db, clock: Clock, cipher: FieldCipher, audience: Audience) -> Arc<Self> {
        let (policies, calendars) = (PolicyStore::new(db.clone()), CalendarStore::new(db.clone()));
        let rules = Arc::new(RuleBook::new(policies, calendars, EstateDirectory::new(db.clone()), clock.clone()));
        let rollups = Rollups::new(db.clone(), clock.clone(), CountCare::new(rules.clone()));
        Arc::new(Self { db, clock, rules, wakes: Wakes::default(), cipher, rollups, audience })
    }

    /// What figures came to.
    pub(crate) fn rollups(&self) -> &Rollups<CountCare> {
        &self.rollups
    }
}
