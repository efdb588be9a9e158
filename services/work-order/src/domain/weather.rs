//! Extreme weather makes the limits of what is not urgent longer (WO-71).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Factor;

use super::case::{Case, CaseFilter};
use super::policy::Policies;
use super::terms::{CALLBACK_CLOCK, Terms};

/// A mode of a policy: limits of the orders that match and are taken in while it is in force are longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeatherMode {
    /// Code.
    pub code: String,
    /// The orders.
    pub applies_to: CaseFilter,
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub to: Timestamp,
    /// By how much.
    pub factor: Factor,
}

/// The mode that an order was taken in under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weather {
    /// Code of the mode.
    pub code: String,
    /// By how much its limits are longer.
    pub factor: Factor,
}

impl Terms {
    /// The same terms as they are for a case taken in at `received`. A promise is the customer's, and calling back can be done in any
    /// weather: neither is longer.
    pub fn in_weather(mut self, policies: &Policies, case: Case<'_>, received: Timestamp) -> Self {
        let in_force = |mode: &&WeatherMode| mode.from <= received && received < mode.to && mode.applies_to.matches(case);
        let Some(mode) = policies.sla.iter().find_map(|layer| layer.document.weather_modes.iter().rfind(in_force)) else { return self };
        for clock in self.clocks.iter_mut().filter(|clock| clock.clock != CALLBACK_CLOCK) {
            // A limit that would become longer than a span can be stays what it is.
            clock.limit = clock.limit.take().map(|limit| limit.extended_by(mode.factor).unwrap_or(limit));
        }
        self.weather = Some(Weather { code: mode.code.clone(), factor: mode.factor });
        self
    }
}
