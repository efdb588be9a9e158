//! The contact policy: what holds a message back, and how often a channel is tried. Every number is data.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::DailyWindow;

use super::codes::{Channel, Class, Language, Purpose};

/// The policy as it holds for an estate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPolicy {
    /// Language when neither preference nor record names one.
    pub default_language: Language,
    /// Names that stand among roles in events and are none, such as `assignee`.
    pub not_roles: Vec<String>,
    /// Rules by class.
    pub classes: BTreeMap<Class, ClassRule>,
    /// How often each channel is tried.
    pub retries: BTreeMap<Channel, RetryRule>,
}

/// What a scope sets anew over the layer below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContactLayer {
    /// Another default language.
    pub default_language: Option<Language>,
    /// Other rules of these classes.
    pub classes: BTreeMap<Class, ClassRule>,
    /// Other retries of these channels.
    pub retries: BTreeMap<Channel, RetryRule>,
}

/// What holds a class of messages back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRule {
    /// Channels when nobody wanted any, in order.
    pub channels: Vec<Channel>,
    /// The consent it needs, if any (NT-24).
    pub consent: Option<Purpose>,
    /// Whether a customer who is not to be disturbed gets none.
    pub heeds_do_not_disturb: bool,
    /// Whether the customer's preferences count.
    pub heeds_preferences: bool,
    /// Whether the inbox stays, whatever is preferred.
    pub inbox_stays: bool,
    /// What waits in quiet hours (NT-28).
    pub quiet_holds: QuietHolds,
    /// The quiet hours, local time; none lets only the customer's own count.
    pub quiet_hours: Option<DailyWindow>,
}

/// What waits in quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietHolds {
    /// Nothing: emergencies, and staff at work.
    Nothing,
    /// Everything but the inbox, which rings nowhere.
    OutsideInbox,
    /// The whole message.
    Message,
}

/// How often and how soon a channel is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRule {
    /// Most attempts before a delivery is dead.
    pub attempts: i32,
    /// The pause after the first failure, in seconds.
    pub first_seconds: i64,
    /// What each further pause is multiplied by.
    pub factor: f64,
    /// The longest pause, in seconds.
    pub most_seconds: i64,
    /// How far a pause is spread, in per cent of itself, so that not everything comes back at once.
    pub jitter_percent: f64,
    /// How long one attempt may take, in seconds.
    pub timeout_seconds: u64,
    /// When an attempt that nobody reported on is made again, in seconds.
    pub lease_seconds: i64,
}

impl RetryRule {
    /// The pause after the `failed`th failure in a row. What the other side asked for is the least.
    pub fn pause(&self, failed: i32, asked: Option<SignedDuration>, jitter: f64) -> SignedDuration {
        // Seconds of a policy are far below what an f64 counts exactly.
        let raw = self.first_seconds as f64 * self.factor.powi(failed.saturating_sub(1).max(0));
        let capped = raw.min(self.most_seconds as f64);
        let spread = capped * (1.0 + jitter.clamp(-1.0, 1.0) * self.jitter_percent / 100.0);
        let pause = SignedDuration::from_millis((spread * 1000.0) as i64);
        let most = SignedDuration::from_secs(self.most_seconds);
        asked.map_or(pause, |asked| pause.max(asked.min(most)))
    }
}

impl ContactPolicy {
    /// The policy with a more specific layer laid over it.
    pub fn overlaid(mut self, layer: ContactLayer) -> Self {
        self.default_language = layer.default_language.unwrap_or(self.default_language);
        self.classes.extend(layer.classes);
        self.retries.extend(layer.retries);
        self
    }

    /// What is missing: every class needs a rule, every channel outside the inbox its retries.
    pub fn gaps(&self) -> Vec<String> {
        let classes = Class::ALL.iter().filter(|class| !self.classes.contains_key(class)).map(|class| format!("class {class}"));
        let channels = Channel::ALL.iter().filter(|channel| **channel != Channel::Inbox && !self.retries.contains_key(channel));
        classes.chain(channels.map(|channel| format!("retries of {channel}"))).collect()
    }
}
