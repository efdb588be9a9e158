//! Use cases. RPCs, event consumers and jobs call the same ones. Each says how many round trips it costs.

mod ask_household;
mod blind;
mod count_answers;
mod enter_response;
mod feedback;
mod frame_step;
mod frame_wave;
mod improvement;
mod invitations;
mod launch;
mod metrics;
mod mystery;
mod peers;
mod programmes;
mod questionnaires;
mod reports;
mod results;
mod review_response;
mod rules;
mod sessions;
mod submit_response;
mod transact;
mod watch;
mod waves;

use std::sync::Arc;

use steward_kit::clock::Clock;
use steward_kit::crypto::{BlindIndex, FieldCipher};
use steward_kit_store::Db;
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::numbers::Numbers;
use steward_kit_store::policy::PolicyStore;
use steward_kit_store::rollups::Rollups;
use tokio::sync::Notify;

use count_answers::CountAnswers;
use rules::Rules;

pub(crate) use ask_household::{Asking, REMIND_ONE};
pub(crate) use blind::BlindAnswer;
pub(crate) use enter_response::Entry;
pub(crate) use feedback::COLLATE;
pub(crate) use improvement::{FOLLOW_UP, MEASURE_DUE, PlanEdit, PlanText};
pub(crate) use invitations::RELEASE_PLACE;
pub(crate) use launch::{CLOSE, INVITE, REMIND};
pub(crate) use mystery::{APPEAL_END, NewVisit, VISIT_DUE};
pub(crate) use peers::Peers;
pub(crate) use programmes::{NewProgramme, ProgrammeEdit};
pub(crate) use results::Compared;
pub(crate) use rules::OwnPolicies;
pub(crate) use sessions::{Held, NewSession, Opinion};
pub(crate) use submit_response::Submission;
pub(crate) use transact::{Call, Target, answer_place};
pub(crate) use watch::{WatchHub, Watcher};
pub(crate) use waves::{NewWave, WaveEdit, WaveView};

/// What use cases work with. Shared by RPCs and jobs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    cipher: FieldCipher,
    /// Keyed hashes: marks of tokens and devices.
    marks: BlindIndex,
    rules: Arc<Rules>,
    rollups: Rollups<CountAnswers>,
    numbers: Numbers,
    peers: Peers,
    watch: WatchHub,
    /// A frame job may have work.
    frame_work: Notify,
}

impl App {
    /// The app over a database.
    pub(crate) fn new(db: Db, clock: Clock, cipher: FieldCipher, marks: BlindIndex, peers: Peers) -> Arc<Self> {
        let rules = Rules::new(PolicyStore::new(db.clone()), CalendarStore::new(db.clone()), EstateDirectory::new(db.clone()));
        let rules = Arc::new(rules);
        let rollups = Rollups::new(db.clone(), clock.clone(), CountAnswers::new(rules.clone()));
        let numbers = Numbers::new(&db, "FB");
        let (watch, frame_work) = (WatchHub::default(), Notify::new());
        Arc::new(Self { db, clock, cipher, marks, rules, rollups, numbers, peers, watch, frame_work })
    }

    /// The estates as this service knows them.
    pub(crate) fn estates(&self) -> &EstateDirectory {
        &self.rules.estates
    }

    /// What figures came to.
    pub(crate) fn rollups(&self) -> &Rollups<CountAnswers> {
        &self.rollups
    }

    /// Seals what people write.
    pub(crate) fn cipher(&self) -> &FieldCipher {
        &self.cipher
    }

    /// The calendars as this service knows them.
    pub(crate) fn calendars(&self) -> &CalendarStore {
        &self.rules.calendars
    }
}
