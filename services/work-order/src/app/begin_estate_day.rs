//! A local day of an estate begins: what newly stands out is told (WO-57), and on the first of a month that the callback report of the
//! one before is ready (WO-36). By a timer that sets the next one: a day that nothing ran is made up for once, as things stand.
//! One trip in the timer's transaction, beside those of [`App::hotspots_of`].

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, TimerChange};
use steward_proto::work_order::v1 as pb;

use super::App;
use super::forecast_demand::said;
use crate::domain::analysis::{Hotspot, HotspotRule};
use crate::events::ESTATE_DAY;
use crate::store::keep_hotspots;

impl App {
    /// Begins the day of an estate. `due` is when it should have begun.
    pub(crate) async fn begin_estate_day(
        &self,
        tx: &mut PgConnection,
        estate: EstateId,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<Effects> {
        let scoped = Scope::system("a day of an estate begins").estate(estate)?;
        let zone = self.rules.estates.get(estate).await?.zone()?;
        let (today, due_day) = (zone.to_datetime(now).date(), zone.to_datetime(due).date());
        let found = self.hotspots_of(scoped, today, now).await?;
        let new = keep_hotspots(tx, scoped, &found, today).await?;
        let mut events: Vec<NewEvent> =
            found.iter().zip(new).filter(|(_, is_new)| *is_new).map(|((rule, spot), _)| told(estate, rule, spot, now)).collect();
        if let Some(month) = month_over(due_day, today) {
            let rules = self.rules.of(estate, now).await?;
            let notify_roles = rules.context().policies.report_roles().to_vec();
            let ready = pb::CallbackReportReady { estate_id: estate.to_string(), month: said(month), notify_roles };
            events.push(NewEvent::new(estate, estate, now, &ready));
        }
        let tomorrow = today.tomorrow().map_err(Error::internal)?;
        let next = zone.to_ambiguous_zoned(tomorrow.at(0, 0, 0, 0)).compatible().map_err(Error::internal)?.timestamp();
        Ok(Effects { events, timers: vec![TimerChange::set(ESTATE_DAY, estate, "", estate, next)], ..Effects::none() })
    }
}

/// A day of the last month that ended between the day that was due and today; `None` when none did.
fn month_over(due: Date, today: Date) -> Option<Date> {
    (due <= today.first_of_month()).then(|| today.first_of_month().yesterday().ok())?
}

fn told(estate: EstateId, rule: &HotspotRule, spot: &Hotspot, now: Timestamp) -> NewEvent {
    let found = pb::HotspotFound {
        estate_id: estate.to_string(),
        rule: rule.code.clone(),
        category: spot.category.clone(),
        building_code: spot.building.clone(),
        cases: spot.cases,
        all_cases: spot.all_cases,
        share_percent: spot.share_ppm() / 10_000,
        notify_roles: rule.notify_roles.clone(),
    };
    NewEvent::new(estate, estate, now, &found)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// WO-36: a month is told on its first day after, or on the first day that anything ran.
    #[test]
    fn a_month_is_over_once() {
        assert_eq!(month_over(date(2026, 4, 1), date(2026, 4, 1)), Some(date(2026, 3, 31)));
        assert_eq!(month_over(date(2026, 4, 2), date(2026, 4, 2)), None);
        assert_eq!(month_over(date(2026, 3, 30), date(2026, 4, 3)), Some(date(2026, 3, 31)), "nothing ran for days");
    }
}
