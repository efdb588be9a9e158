//! Contact policies between the contract's document and the domain.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use steward_kit::calendar::Unit;
use steward_kit::error::Violations;
use steward_kit_store::policy::POLICY_INVALID;
use steward_proto::common::v1::{self as common, Predicate};
use steward_proto::plan::v1 as pb;

use crate::contract::{Code, all, required};
use crate::domain::caps::{Cap, Window};
use crate::domain::codes::{CapScope, Language};
use crate::domain::policy::{ClassRule, ContactPolicy, OptOut, QuietHolds, RetryRule, Suppression};
use crate::domain::preference::QuietHours;

/// No cap looks back further: contacts are forgotten after it.
pub(crate) const LONGEST_WINDOW_DAYS: i64 = 31 * 13;

/// A document as it is used: its rules, and what the situations are, which only the customer service can tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) policy: ContactPolicy,
    pub(crate) situations: BTreeMap<String, Predicate>,
}

impl Document {
    /// With a more specific one laid over it.
    pub(crate) fn overlaid(mut self, layer: Self) -> Self {
        self.policy = self.policy.overlaid(layer.policy);
        self.situations.extend(layer.situations);
        self
    }
}

/// Reads a document and notes every contradiction, by its place under `at`.
pub(crate) fn read(bad: &mut Violations, at: &str, document: &pb::ContactPolicy) -> Document {
    let mut policy = ContactPolicy::default();
    let mut situations = BTreeMap::new();
    if !document.default_language.is_empty() {
        policy.default_language = Language::parse(&document.default_language);
        refuse(bad, format!("{at}.default_language"), policy.default_language.is_none(), "must be zh-CN or en");
    }
    for (n, rule) in document.classes.iter().enumerate() {
        let place = format!("{at}.classes[{n}]");
        if let (Some(class), Some(read)) =
            (required(bad, &format!("{place}.message_class"), rule.message_class), class_rule(bad, &place, rule))
        {
            once(bad, &place, policy.classes.insert(class, read).is_some());
        }
    }
    for (n, rule) in document.retries.iter().enumerate() {
        let place = format!("{at}.retries[{n}]");
        if let (Some(channel), Some(read)) = (required(bad, &format!("{place}.channel"), rule.channel), retry(bad, &place, rule)) {
            once(bad, &place, policy.retries.insert(channel, read).is_some());
        }
    }
    for (n, given) in document.caps.iter().enumerate() {
        let place = format!("{at}.caps[{n}]");
        let read = if given.off { Some(None) } else { cap(bad, &place, given).map(Some) };
        if let Some(read) = read {
            once(bad, &place, policy.caps.insert(given.code.clone(), read).is_some());
        }
    }
    for (n, given) in document.suppressions.iter().enumerate() {
        let place = format!("{at}.suppressions[{n}]");
        let read = Suppression { classes: all(bad, &format!("{place}.classes"), &given.classes), topics: given.topics.clone() };
        refuse(bad, format!("{place}.when"), !given.off && given.when.is_none(), "must say what holds of the household, or be off");
        refuse(bad, format!("{place}.classes"), !given.off && read.classes.is_empty(), "must name the classes that it forbids");
        once(bad, &place, policy.suppressions.insert(given.code.clone(), (!given.off).then_some(read)).is_some());
        situations.extend(given.when.clone().map(|when| (given.code.clone(), when)));
    }
    policy.opt_out = document.opt_out.as_ref().map(|given| opt_out(bad, &format!("{at}.opt_out"), given));
    Document { policy, situations }
}

fn refuse(bad: &mut Violations, field: String, is_wrong: bool, why: &str) {
    if is_wrong {
        bad.add(field, POLICY_INVALID, why);
    }
}

fn once(bad: &mut Violations, place: &str, is_repeated: bool) {
    refuse(bad, place.to_owned(), is_repeated, "stands twice in the document");
}

fn class_rule(bad: &mut Violations, place: &str, rule: &pb::ContactClassRule) -> Option<ClassRule> {
    let quiet_hours = match &rule.quiet_hours {
        Some(hours) => {
            let window = QuietHours::parse(&hours.from_local, &hours.to_local).and_then(|hours| hours.window());
            refuse(bad, format!("{place}.quiet_hours"), window.is_none(), "must be two different local times HH:MM");
            window
        }
        None => None,
    };
    let spread = clock_span(bad, &format!("{place}.spread"), rule.spread.as_ref());
    let unread = clock_span(bad, &format!("{place}.fallback_when_unread"), rule.fallback_when_unread.as_ref());
    refuse(bad, format!("{place}.spread"), spread.is_some_and(|spread| spread > SignedDuration::from_hours(6)), "must be at most 6 h");
    Some(ClassRule {
        channels: all(bad, &format!("{place}.channels"), &rule.channels),
        consent: Code::of_number(rule.consent),
        heeds_do_not_disturb: rule.heeds_do_not_disturb,
        heeds_preferences: rule.heeds_preferences,
        inbox_stays: rule.inbox_stays,
        quiet_holds: match rule.quiet_holds() {
            pb::QuietHolds::Unspecified | pb::QuietHolds::Nothing => QuietHolds::Nothing,
            pb::QuietHolds::OutsideInbox => QuietHolds::OutsideInbox,
            pb::QuietHolds::All => QuietHolds::Message,
        },
        quiet_hours,
        spread: spread.unwrap_or(SignedDuration::ZERO),
        fallback_when_unread: unread,
    })
}

fn retry(bad: &mut Violations, place: &str, rule: &pb::ChannelRetry) -> Option<RetryRule> {
    refuse(bad, format!("{place}.lease_seconds"), rule.lease_seconds <= rule.timeout_seconds, "must be longer than the timeout");
    Some(RetryRule {
        attempts: rule.attempts,
        first_seconds: rule.first_seconds,
        factor: rule.factor,
        most_seconds: rule.most_seconds,
        jitter_percent: rule.jitter_percent,
        timeout_seconds: u64::try_from(rule.timeout_seconds).ok()?,
        lease_seconds: rule.lease_seconds,
    })
}

fn cap(bad: &mut Violations, place: &str, given: &pb::ContactCap) -> Option<Cap> {
    let scope = match given.scope() {
        pb::ContactCapScope::Household => Some(CapScope::Household),
        pb::ContactCapScope::Person => Some(CapScope::Person),
        pb::ContactCapScope::Unspecified => None,
    };
    refuse(bad, format!("{place}.scope"), scope.is_none(), "must say who is counted");
    let classes = all(bad, &format!("{place}.classes"), &given.classes);
    refuse(bad, format!("{place}.classes"), classes.is_empty(), "must name the classes counted");
    let window = match &given.window {
        Some(pb::contact_cap::Window::Rolling(span)) => rolling(bad, &format!("{place}.rolling"), span),
        Some(pb::contact_cap::Window::Period(number)) => match pb::CapPeriod::try_from(*number).unwrap_or_default() {
            pb::CapPeriod::Unspecified => None,
            pb::CapPeriod::Day => Some(Window::Day),
            pb::CapPeriod::Week => Some(Window::Week),
            pb::CapPeriod::Month => Some(Window::Month),
            pb::CapPeriod::Quarter => Some(Window::Quarter),
            pb::CapPeriod::Year => Some(Window::Year),
        },
        None => None,
    };
    refuse(bad, format!("{place}.window"), window.is_none(), "must be a rolling span or a period of the calendar");
    Some(Cap {
        classes,
        scope: scope?,
        limit: usize::try_from(given.limit).ok()?,
        window: window?,
        defers: given.over() == pb::OverCap::Defer,
        exempt_subject_kinds: given.exempt_subject_kinds.clone(),
        topics: given.topics.clone(),
    })
}

fn rolling(bad: &mut Violations, place: &str, span: &common::Span) -> Option<Window> {
    let span = bad.span(place, span)?;
    let value = i64::from(span.value());
    let (window, days) = match span.unit() {
        Unit::Hour => (Window::Hours(value), value / 24),
        Unit::Day => (Window::Days(value), value),
        Unit::Week => (Window::Days(value * 7), value * 7),
        Unit::Month => (Window::Months(value), value * 31),
        Unit::Quarter => (Window::Months(value * 3), value * 93),
        Unit::HalfYear => (Window::Months(value * 6), value * 186),
        Unit::Year => (Window::Months(value * 12), value * 366),
        Unit::Second | Unit::Minute | Unit::WorkingDay => {
            refuse(bad, place.to_owned(), true, "must be counted in hours, days, weeks, months or years");
            return None;
        }
    };
    refuse(bad, place.to_owned(), days > LONGEST_WINDOW_DAYS, "must be at most 13 months: contacts are forgotten then");
    Some(window)
}

/// A stretch of the clock.
fn clock_span(bad: &mut Violations, place: &str, span: Option<&common::Span>) -> Option<SignedDuration> {
    let span = bad.span(place, span?)?;
    let value = i64::from(span.value());
    match span.unit() {
        Unit::Second => Some(SignedDuration::from_secs(value)),
        Unit::Minute => Some(SignedDuration::from_mins(value)),
        Unit::Hour => Some(SignedDuration::from_hours(value)),
        Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year | Unit::WorkingDay => {
            refuse(bad, place.to_owned(), true, "must be seconds, minutes or hours by 24x7");
            None
        }
    }
}

fn opt_out(bad: &mut Violations, place: &str, given: &pb::OptOutRule) -> OptOut {
    let notices = [(Language::Zh, &given.notice_zh), (Language::En, &given.notice_en)];
    let classes = all(bad, &format!("{place}.notice_classes"), &given.notice_classes);
    let some_missing = notices.iter().any(|(_, text)| text.is_empty());
    refuse(bad, format!("{place}.notice_zh"), !classes.is_empty() && some_missing, "the notice is needed in Chinese and English");
    OptOut {
        keywords: given.keywords.clone(),
        purposes: all(bad, &format!("{place}.purposes"), &given.purposes),
        notice_classes: classes,
        notice: notices.into_iter().map(|(language, text)| (language, text.clone())).collect(),
    }
}
