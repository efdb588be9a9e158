//! What a customer wants of messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::calendar::{DailyWindow, DayTime};
use steward_kit::ids::CustomerId;

use super::codes::{Channel, Class, Language};

/// A daily stretch of quiet, as the customer said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Beginning, local time.
    pub from: DayTime,
    /// End, local time; the same as the beginning means no quiet at all.
    pub to: DayTime,
}

impl QuietHours {
    /// Reads `HH:MM` twice.
    pub fn parse(from: &str, to: &str) -> Option<Self> {
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from != DayTime::MIDNIGHT_NEXT).then_some(Self { from, to })
    }

    /// The window; none when there is to be no quiet.
    pub fn window(&self) -> Option<DailyWindow> {
        DailyWindow::new(self.from, self.to).ok()
    }
}

/// Preferences. A customer who never said anything has the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Whose.
    pub customer_id: CustomerId,
    /// Language of messages; none means that of the customer's record.
    pub language: Option<Language>,
    /// Channels wanted by class, in order; a class that is missing has its defaults.
    pub classes: BTreeMap<Class, Vec<Channel>>,
    /// When not to disturb; none means the policy's hours.
    pub quiet_hours: Option<QuietHours>,
    /// Version of the row; 0 when there is none.
    pub row_version: i64,
    /// When they last changed.
    pub update_time: Option<Timestamp>,
}

impl Preferences {
    /// What holds for a customer who never said anything.
    pub fn defaults(customer_id: CustomerId) -> Self {
        Self { customer_id, language: None, classes: BTreeMap::new(), quiet_hours: None, row_version: 0, update_time: None }
    }
}
