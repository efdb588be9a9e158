//! What facts of other services mean for care.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::App;
use super::plan_timers::plan_timer;
use crate::domain::annual_plan::Plan315;
use crate::domain::base::{Change, TimerKind};
use crate::domain::codes::TouchpointState;
use crate::domain::programme::Action;
use crate::domain::touchpoint::Touchpoint;
use crate::store::planner::latest_315;
use crate::store::programmes::load_running;
use crate::store::touchpoints::ids_of_household;
use crate::store::visits::{active_rounds, rounds_of_household};

/// Facts that come together are answered by one planning of the estate: at the next full piece of this.
const TOGETHER: SignedDuration = SignedDuration::from_secs(30);

impl App {
    /// Facts of a household changed: what is left out is looked at now, and the estate's programmes are planned again. Five trips.
    pub(crate) async fn hear_household(
        &self,
        tx: &mut PgConnection,
        estate: EstateId,
        household: HouseholdId,
        now: Timestamp,
    ) -> Result<Effects> {
        let left_out = [TouchpointState::Excluded.as_str().to_owned()];
        let ids = ids_of_household(&mut *tx, estate, household, &left_out, None).await?;
        let mut effects = self.settle::<Touchpoint>(&mut *tx, &ids, now, |row, _| Ok(row.value.look_again(now))).await?;
        for round in rounds_of_household(&mut *tx, estate, household).await? {
            effects.timers.push(TimerChange::set(TimerKind::RoundPrepare.as_str(), round, "", estate, now));
        }
        effects.merge(self.plan_soon(tx, estate, now).await?);
        Ok(effects)
    }

    /// Something changed in an estate: its programmes are planned again, together with whatever else changes meanwhile. One trip.
    pub(crate) async fn plan_soon(&self, tx: &mut PgConnection, estate: EstateId, now: Timestamp) -> Result<Effects> {
        let piece = TOGETHER.as_secs();
        let soon = Timestamp::from_second((now.as_second() / piece + 1) * piece).map_err(Error::internal)?;
        let programmes = load_running(tx, estate).await?;
        Ok(Effects { timers: programmes.iter().map(|programme| plan_timer(programme.id, estate, soon)).collect(), ..Effects::none() })
    }

    /// Who lives in an estate changed: rounds under way look for whom to add (CA-39). Two trips.
    pub(crate) async fn hear_estate(&self, tx: &mut PgConnection, estate: EstateId, now: Timestamp) -> Result<Effects> {
        let mut effects = self.plan_soon(&mut *tx, estate, now).await?;
        for round in active_rounds(tx, estate).await? {
            effects.timers.push(TimerChange::set(TimerKind::RoundPrepare.as_str(), round, "", estate, now));
        }
        Ok(effects)
    }

    /// A message of a touchpoint arrived. Two trips.
    pub(crate) async fn hear_arrival(&self, tx: &mut PgConnection, touchpoint: Uuid, at: Timestamp, now: Timestamp) -> Result<Effects> {
        self.settle::<Touchpoint>(tx, &[touchpoint], now, |row, _| Ok(row.value.arrived("receipt", "", at, now))).await
    }

    /// The household answered what a touchpoint asked. Two trips.
    pub(crate) async fn hear_answer(&self, tx: &mut PgConnection, touchpoint: Uuid, at: Timestamp, now: Timestamp) -> Result<Effects> {
        self.settle::<Touchpoint>(tx, &[touchpoint], now, |row, _| match row.value.action {
            Action::Survey { .. } => Ok(row.value.arrived("survey", "", at, now)),
            // A survey about something that was done otherwise says nothing of whether it arrived.
            Action::Message { .. } | Action::Visit { .. } | Action::Task { .. } | Action::Order { .. } => Ok(None),
        })
        .await
    }

    /// An improvement was carried out and its effect is known: the 315 plan that runs counts it, once (CA-05). Three trips.
    pub(crate) async fn hear_improvement(&self, tx: &mut PgConnection, estate: EstateId, plan: &str, now: Timestamp) -> Result<Effects> {
        let Some(running) = latest_315(&mut *tx, estate).await? else { return Ok(Effects::none()) };
        let reference = format!("improvement_plan/{plan}");
        self.settle::<Plan315>(tx, &[running], now, |row, rules| Ok(row.value.improved(&reference, rules.date(now)).map(Change::to))).await
    }

    /// A message of a touchpoint was held back (CA-12). Two trips.
    pub(crate) async fn hear_held_back(&self, tx: &mut PgConnection, touchpoint: Uuid, reason: &str, now: Timestamp) -> Result<Effects> {
        self.settle::<Touchpoint>(tx, &[touchpoint], now, |row, _| Ok(row.value.held_back(reason, now))).await
    }
}
