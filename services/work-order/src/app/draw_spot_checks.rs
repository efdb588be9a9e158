//! A week is over: the sample of its closed orders is drawn, and the next week's drawing is set (WO-74). Two trips in the timers'
//! transaction.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange};

use super::App;
use crate::domain::{CheckState, SpotCheck, SpotCheckId, Week, draw};
use crate::events::{DRAW_SPOT_CHECKS, SPOT_CHECK_DUE};
use crate::store::{insert_spot_checks, list_closed_orders};

impl App {
    /// Draws the sample of the week that ended at `ended`, by the rules in force then. Weeks that passed while nothing worked are
    /// drawn one after the other.
    pub(crate) async fn draw_spot_checks(
        &self,
        tx: &mut PgConnection,
        estate: EstateId,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<Effects> {
        let rules = self.rules.of(estate, ended).await?;
        let context = rules.context();
        let weeks = Week::before(ended, context.zone).zip(Week::of(ended, context.zone));
        let (week, next) = weeks.ok_or_else(|| Error::bug("a week lies outside the range of time"))?;
        let mut effects = Effects::none();
        effects.timers.push(TimerChange::set(DRAW_SPOT_CHECKS, estate, "", estate, next.end));
        let Some(rule) = context.policies.spot_check() else { return Ok(effects) };
        let scoped = Scope::system("a week is over").estate(estate)?;
        let closed = list_closed_orders(&mut *tx, scoped, week.start, week.end).await?;
        // Whoever checks has the whole span, also after an outage.
        let due = context.calendars.due(ended.max(now), &rule.due, context.zone).map_err(Error::internal)?;
        let drawn = draw(estate, week.monday, rule, closed).into_iter().map(|order| SpotCheck {
            id: SpotCheckId::new(),
            estate_id: estate,
            week_start: week.monday,
            order: order.id,
            number: order.number,
            handlers: order.handlers,
            state: CheckState::Open,
            due_time: due.time,
            overdue: false,
            notify_roles: rule.notify_roles.clone(),
            finding_codes: Vec::new(),
            record_time: None,
            checker: None,
        });
        let drawn: Vec<SpotCheck> = drawn.collect();
        for id in insert_spot_checks(tx, scoped, &drawn, now).await? {
            effects.timers.push(TimerChange::set(SPOT_CHECK_DUE, id, "", estate, due.time));
        }
        Ok(effects)
    }
}
