//! What timers do. Effects are returned for the timer's transaction to write.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::Effects;
use uuid::Uuid;

use super::App;
use crate::domain::base::Stored;
use crate::domain::codes::TouchpointState;
use crate::domain::forum::Forum;
use crate::domain::ids::{VisitId, VisitRoundId};
use crate::domain::obligation::Obligation;
use crate::domain::round::Round;
use crate::domain::touchpoint::{Touchpoint, visited};
use crate::domain::visit::Visit;
use crate::store::contacts::load_contact;
use crate::store::touchpoints::ids_of_household;
use crate::store::visits::{count_by_state, load_with_round};

impl App {
    /// A touchpoint was to be done, or confirmed, until now. Two trips.
    pub(crate) async fn lapse_touchpoint(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Touchpoint>(tx, &[id], now, |row, _| Ok(row.value.lapse(now))).await
    }

    /// The visit that carries out a touchpoint was made. Three trips.
    pub(crate) async fn settle_visited(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        let visits = crate::store::visits::visit_of_touchpoint(&mut *tx, id).await?;
        let Some((visit, subject, at)) = visits else { return Ok(Effects::none()) };
        self.settle::<Touchpoint>(tx, &[id], now, |row, _| Ok(visited(&row.value, VisitId::from(visit), &subject, at, now))).await
    }

    /// A two-way talk confirms the household's touchpoint whose definition has the code of its purpose: the oldest that is open, one for
    /// each talk. Four trips.
    pub(crate) async fn settle_contact(&self, tx: &mut PgConnection, estate: EstateId, id: Uuid, now: Timestamp) -> Result<Effects> {
        let Some(contact) = load_contact(&mut *tx, estate, id).await? else { return Ok(Effects::none()) };
        let states = [TouchpointState::Due, TouchpointState::Overdue, TouchpointState::Planned].map(|state| state.as_str().to_owned());
        let ids = ids_of_household(&mut *tx, estate, contact.household_id, &states, Some(&contact.purpose)).await?;
        let Some(oldest) = ids.last() else { return Ok(Effects::none()) };
        let (subject, at) = (contact.actor_subject, contact.contact_time);
        self.settle::<Touchpoint>(tx, &[*oldest], now, |row, _| Ok(row.value.arrived("contact", &subject, at, now))).await
    }

    /// A day of a round ends. Three trips.
    pub(crate) async fn end_round_day(&self, tx: &mut PgConnection, estate: EstateId, id: Uuid, now: Timestamp) -> Result<Effects> {
        let counts = count_by_state(&mut *tx, estate, VisitRoundId::from(id)).await?;
        let of = |states: &[&str]| states.iter().filter_map(|state| counts.get(*state)).sum::<i64>();
        let done = of(&["done", "closed"]);
        let all = (done, done + of(&["open", "scheduled", "under_way"]), of(&["excluded"]));
        self.settle::<Round>(tx, &[id], now, |row, rules| row.value.day_ended(all, now, rules)).await
    }

    /// The report of a round was to be in until now. Two trips.
    pub(crate) async fn lapse_round_report(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Round>(tx, &[id], now, |row, _| Ok(row.value.report_lapsed())).await
    }

    /// The notice of a visit goes out. Three trips.
    pub(crate) async fn send_visit_notice(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        let scope = steward_kit::auth::Scope::system("a timer fired");
        let Some((_, round)) = load_with_round(&mut *tx, &scope, id).await? else { return Ok(Effects::none()) };
        self.settle::<Visit>(tx, &[id], now, |row: &Stored<Visit>, rules| row.value.notify(&round, now, rules)).await
    }

    /// The form of a visit was to be in until now. Two trips.
    pub(crate) async fn lapse_visit_form(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Visit>(tx, &[id], now, |row, _| Ok(row.value.form_lapsed())).await
    }

    /// An obligation was to be done until now. Two trips.
    pub(crate) async fn lapse_obligation(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Obligation>(tx, &[id], now, |row, _| Ok(row.value.lapse())).await
    }

    /// Minutes were to be out until now. Two trips.
    pub(crate) async fn lapse_forum_minutes(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Forum>(tx, &[id], now, |row, _| Ok(row.value.lapse())).await
    }
}
