//! What many cases say together: counts by several dimensions, hot spots, and the demand of a month to come. Pure; what is counted is
//! kept by the rollups as the figures are.
//!
//! | file | one idea |
//! |---|---|
//! | `cells` | cases by kind, category, hour, weekday, channel and building |
//! | `hotspots` | categories that stand out (WO-57) |
//! | `forecast` | a month to come after the same month of the years before (WO-58) |

mod cells;
mod forecast;
mod hotspots;

pub use cells::{CaseKey, CaseSlice, Dimension, Group, cells_of, grouped};
pub use forecast::{Forecast, WHOLE_YEARS, forecast};
pub use hotspots::{Hotspot, HotspotRule, hotspots};
