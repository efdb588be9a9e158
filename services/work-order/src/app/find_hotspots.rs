//! Kinds of report that stand out (WO-57). One trip for each rule where the windows were counted before.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::Period;
use steward_kit::{Error, Result};

use super::App;
use crate::domain::analysis::{Hotspot, HotspotRule, hotspots};

impl App {
    /// What stands out in an estate by its rules, the greatest share first.
    pub(crate) async fn find_hotspots(&self, access: &Access, estate: EstateId) -> Result<Vec<(HotspotRule, Hotspot)>> {
        let scoped = access.scope.estate(estate)?;
        let now = self.clock.now();
        let today = self.rules.estates.get(estate).await?.zone()?.to_datetime(now).date();
        let mut found = self.hotspots_of(scoped, today, now).await?;
        found.sort_by_key(|(_, spot)| std::cmp::Reverse(spot.share_ppm()));
        Ok(found)
    }

    /// What stands out on a local day: windows end the day before, so that a day more does not change them while it lasts.
    pub(super) async fn hotspots_of(&self, estate: ScopedEstate, today: Date, now: Timestamp) -> Result<Vec<(HotspotRule, Hotspot)>> {
        let rules = self.rules.of(estate.id(), now).await?;
        let rules: Vec<HotspotRule> = rules.context().policies.hotspot_rules().into_iter().cloned().collect();
        let mut found = Vec::new();
        for rule in rules {
            let window = days_before(today, rule.window_days)?;
            let before = (rule.usual_days > 0).then(|| days_before(window.from, rule.usual_days)).transpose()?;
            let periods: Vec<Period> = [window].into_iter().chain(before).collect();
            let tallies: Vec<_> = self.case_tallies(&[estate], &periods).await?.into_iter().flatten().collect();
            let Some(now) = tallies.first() else { continue };
            found.extend(hotspots(&rule, now, tallies.get(1)).into_iter().map(|spot| (rule.clone(), spot)));
        }
        Ok(found)
    }
}

/// So many days that end before a day.
fn days_before(day: Date, days: u32) -> Result<Period> {
    let from = day.checked_sub(Span::new().days(days)).map_err(Error::internal)?;
    let to = day.yesterday().map_err(Error::internal)?;
    Period::new(from, to).ok_or_else(|| Error::bug("a window without a day"))
}
