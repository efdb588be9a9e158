//! The rules that hold messages back, case by case.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use steward_kit::ids::CustomerId;

use super::codes::{Channel, Class, Purpose, StepCode, SuppressReason};
use super::judge::{Circumstances, CustomerFacts, Decision, judge};
use super::message::Recipient;
use super::policy::{ClassRule, QuietHolds, RetryRule};
use super::preference::{Preferences, QuietHours};

fn rule(consent: Option<Purpose>, holds: QuietHolds) -> ClassRule {
    ClassRule {
        channels: vec![Channel::Inbox, Channel::Email],
        consent,
        heeds_do_not_disturb: consent.is_some(),
        heeds_preferences: holds != QuietHolds::Nothing,
        inbox_stays: consent.is_none(),
        quiet_holds: holds,
        quiet_hours: Some("21:00-09:00".parse().unwrap()),
    }
}

fn decide(rule: ClassRule, customer: CustomerFacts, now: &str) -> Decision {
    let what = Circumstances { zone: TimeZone::get("Asia/Shanghai").unwrap(), rule, customer: Some(customer) };
    judge(Class::Marketing, &Recipient::Customer(CustomerId::new()), &[], &what, time(now)).0
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NIGHT: &str = "2026-03-02T14:00:00Z";
const NINE: &str = "2026-03-03T01:00:00Z";

/// NT-24: consent counts by channel, and none at all suppresses.
#[test]
fn consent_counts_by_channel() {
    let marketing = || rule(Some(Purpose::Marketing), QuietHolds::Message);
    let agreed = |channels: &[Channel]| CustomerFacts {
        consents: channels.iter().map(|channel| (Purpose::Marketing, *channel)).collect(),
        ..CustomerFacts::default()
    };
    assert_eq!(decide(marketing(), agreed(&[]), NINE), Decision::Suppress(SuppressReason::NoConsent));
    assert_eq!(decide(marketing(), agreed(&[Channel::Email]), NINE), Decision::Send(vec![(Channel::Email, time(NINE))]));
    let care_only = CustomerFacts { consents: vec![(Purpose::Care, Channel::Email)], ..CustomerFacts::default() };
    assert_eq!(decide(marketing(), care_only, NINE), Decision::Suppress(SuppressReason::NoConsent));
    let left_alone = CustomerFacts { do_not_disturb: true, ..agreed(&[Channel::Email]) };
    assert_eq!(decide(marketing(), left_alone, NINE), Decision::Suppress(SuppressReason::DoNotDisturb));
    let bounced = CustomerFacts { email_invalid: true, ..agreed(&[Channel::Email]) };
    assert_eq!(decide(marketing(), bounced, NINE), Decision::Suppress(SuppressReason::NoChannel));
}

/// NT-28: what waits at night, by class; a customer's own hours take the place of the policy's.
#[test]
fn quiet_hours_hold_what_the_class_says() {
    let nobody = CustomerFacts::default;
    assert_eq!(decide(rule(None, QuietHolds::Message), nobody(), NIGHT), Decision::Defer(time(NINE)));
    let both = |inbox, email| Decision::Send(vec![(Channel::Inbox, time(inbox)), (Channel::Email, time(email))]);
    assert_eq!(decide(rule(None, QuietHolds::OutsideInbox), nobody(), NIGHT), both(NIGHT, NINE));
    assert_eq!(decide(rule(None, QuietHolds::Nothing), nobody(), NIGHT), both(NIGHT, NIGHT));
    let awake = Preferences { quiet_hours: QuietHours::parse("08:00", "08:00"), ..Preferences::defaults(CustomerId::new()) };
    let awake = CustomerFacts { preferences: Some(awake), ..nobody() };
    assert_eq!(decide(rule(None, QuietHolds::Message), awake, NIGHT), both(NIGHT, NIGHT));
}

/// A customer who wants a class by no channel gets none of it, but the inbox stays for service.
#[test]
fn preferences_choose_and_order_channels() {
    let wants = |channels: Vec<Channel>| {
        let preferences = Preferences { classes: [(Class::Marketing, channels)].into(), ..Preferences::defaults(CustomerId::new()) };
        CustomerFacts { preferences: Some(preferences), consents: vec![(Purpose::Marketing, Channel::Inbox)], ..CustomerFacts::default() }
    };
    let service = || rule(None, QuietHolds::OutsideInbox);
    assert_eq!(decide(service(), wants(vec![]), NINE), Decision::Send(vec![(Channel::Inbox, time(NINE))]));
    let reordered = Decision::Send(vec![(Channel::Email, time(NINE)), (Channel::Inbox, time(NINE))]);
    assert_eq!(decide(service(), wants(vec![Channel::Email]), NINE), reordered);
    let marketing = rule(Some(Purpose::Marketing), QuietHolds::Message);
    assert_eq!(decide(marketing, wants(vec![]), NINE), Decision::Suppress(SuppressReason::Preference));
}

proptest! {
    /// Whatever is decided is told: the last step names it.
    #[test]
    fn every_decision_leaves_its_step(disturb: bool, invalid: bool, consent: bool, hour in 0i64..24) {
        let facts = CustomerFacts {
            do_not_disturb: disturb,
            email_invalid: invalid,
            consents: if consent { vec![(Purpose::Marketing, Channel::Email)] } else { vec![] },
            ..CustomerFacts::default()
        };
        let what = Circumstances { zone: TimeZone::UTC, rule: rule(Some(Purpose::Marketing), QuietHolds::Message), customer: Some(facts) };
        let now = time("2026-03-02T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let (decision, steps) = judge(Class::Marketing, &Recipient::Customer(CustomerId::new()), &[], &what, now);
        let last = steps.last().unwrap().code;
        prop_assert_eq!(last, match decision {
            Decision::Send(_) => StepCode::ChannelChosen,
            Decision::Defer(_) => StepCode::Deferred,
            Decision::Suppress(_) => StepCode::Suppressed,
        });
    }

    /// Pauses grow, stay below their cap and jitter, and give the other side the time that it asked for.
    #[test]
    fn pauses_are_bounded(failed in 1i32..40, jitter in -1.0f64..1.0, asked in 0i64..100_000) {
        let rule = RetryRule {
            attempts: 8, first_seconds: 30, factor: 3.0, most_seconds: 21_600, jitter_percent: 20.0, timeout_seconds: 30, lease_seconds: 120,
        };
        let pause = rule.pause(failed, None, jitter).as_secs();
        prop_assert!((24..=25_920).contains(&pause), "{}", pause);
        let asked_for = jiff::SignedDuration::from_secs(asked);
        prop_assert!(rule.pause(failed, Some(asked_for), jitter) >= asked_for.min(jiff::SignedDuration::from_secs(21_600)));
    }
}
