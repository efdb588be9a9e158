//! The contact policy: what holds a message back, and how often a channel is tried. Every number is data.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use steward_kit::calendar::DailyWindow;

use super::caps::Cap;
use super::codes::{Channel, Class, Language, Purpose};

/// The policy as it holds for an estate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactPolicy {
    /// Language when neither preference nor record names one.
    pub default_language: Option<Language>,
    /// Rules by class.
    pub classes: BTreeMap<Class, ClassRule>,
    /// How often each channel is tried.
    pub retries: BTreeMap<Channel, RetryRule>,
    /// Caps by code; one that is off stands as none.
    pub caps: BTreeMap<String, Option<Cap>>,
    /// Situations that forbid, by code; one that is off stands as none.
    pub suppressions: BTreeMap<String, Option<Suppression>>,
    /// How people say stop.
    pub opt_out: Option<OptOut>,
}

/// What holds a class of messages back.
#[derive(Clone, Debug, PartialEq)]
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
    /// Within how long after quiet hours everything that waited leaves.
    pub spread: SignedDuration,
    /// When the next channel is tried because a delivery was not read (NT-35).
    pub fallback_when_unread: Option<SignedDuration>,
}

/// A situation of a household that forbids contacts. What it is, is asked of the customer service; this is whom it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The classes it forbids.
    pub classes: Vec<Class>,
    /// Only these topics; none means every topic.
    pub topics: Vec<String>,
}

/// How people say stop (NT-25).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOut {
    /// Replies that mean stop.
    pub keywords: Vec<String>,
    /// The consents they withdraw.
    pub purposes: Vec<Purpose>,
    /// Messages of these classes carry the notice outside the inbox.
    pub notice_classes: Vec<Class>,
    /// The notice by language.
    pub notice: BTreeMap<Language, String>,
}

impl OptOut {
    /// Whether a reply says stop: one of the words and nothing else, whatever its case, width and spaces.
    pub fn is_stop(&self, reply: &str) -> bool {
        let reply = plain(reply);
        !reply.is_empty() && self.keywords.iter().any(|keyword| plain(keyword) == reply)
    }
}

/// A text without case, full width, spaces and marks around it.
fn plain(text: &str) -> String {
    let narrow = text.chars().map(|letter| match letter {
        // Full-width forms stand in one block, in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        other => other,
    });
    narrow.filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a topic is one of `topics` or below one of them; no topics means every topic.
pub fn covers(topics: &[String], topic: &str) -> bool {
    let is_below = |above: &String| topic.strip_prefix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    topics.is_empty() || topics.iter().any(is_below)
}

/// What waits in quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuietHolds {
    /// Nothing: emergencies, and staff at work.
    Nothing,
    /// Everything but the inbox, which rings nowhere.
    OutsideInbox,
    /// The whole message.
    Message,
}

/// How often and how soon a channel is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pub fn overlaid(mut self, layer: Self) -> Self {
        self.default_language = layer.default_language.or(self.default_language);
        self.classes.extend(layer.classes);
        self.retries.extend(layer.retries);
        self.caps.extend(layer.caps);
        self.suppressions.extend(layer.suppressions);
        self.opt_out = layer.opt_out.or(self.opt_out);
        self
    }

    /// The caps that count a contact.
    pub fn caps_of<'a>(&'a self, class: Class, subject_kind: &'a str, topic: &'a str) -> impl Iterator<Item = (&'a str, &'a Cap)> {
        let caps = self.caps.iter().filter_map(|(code, cap)| Some((code.as_str(), cap.as_ref()?)));
        caps.filter(move |(_, cap)| cap.counts(class, subject_kind, topic))
    }

    /// The situations that forbid a contact.
    pub fn situations_of<'a>(&'a self, class: Class, topic: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.suppressions.iter().filter_map(|(code, situation)| Some((code.as_str(), situation.as_ref()?)));
        all.filter(move |(_, it)| it.classes.contains(&class) && covers(&it.topics, topic)).map(|(code, _)| code)
    }

    /// What is missing in the policy under every other: every class needs a rule, every channel outside the inbox its
    /// retries.
    pub fn gaps(&self) -> Vec<String> {
        let classes = Class::ALL.iter().filter(|class| !self.classes.contains_key(class)).map(|class| format!("class {class}"));
        let channels = Channel::ALL.iter().filter(|channel| **channel != Channel::Inbox && !self.retries.contains_key(channel));
        let language = self.default_language.is_none().then(|| "default_language".to_owned());
        classes.chain(channels.map(|channel| format!("retries of {channel}"))).chain(language).collect()
    }
}
