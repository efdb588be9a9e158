//! The rules that hold messages back, case by case.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use steward_kit::ids::{CustomerId, HouseholdId};

use super::caps::{Cap, Counted, Window};
use super::circumstances::{Circumstances, CustomerFacts, Ledger};
use super::codes::{CapScope, Channel, Class, Purpose, StepCode, SuppressReason};
use super::judge::{Asked, By, Decision, Judgement, judge};
use super::message::Recipient;
use super::policy::{ClassRule, OptOut, QuietHolds, RetryRule, covers};
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
        spread: SignedDuration::ZERO,
        fallback_when_unread: None,
    }
}

fn decide(rule: ClassRule, customer: CustomerFacts, now: &str) -> Decision {
    judged(rule, customer, Ledger::default(), now).decision
}

fn judged(rule: ClassRule, customer: CustomerFacts, ledger: Ledger, now: &str) -> Judgement {
    let what = Circumstances { zone: TimeZone::get("Asia/Shanghai").unwrap(), rule, customer: Some(customer), ledger, audience: None };
    let recipient = Recipient::Customer(CustomerId::new());
    judge(&Asked { class: Class::Marketing, by: By::Message(&recipient, &[]), at: time(now) }, &what, time(now))
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

/// NT-28: what waited leaves spread over the minutes after the window opens, each household at a moment of its own.
#[test]
fn what_waited_leaves_spread_over_the_households() {
    let rule = || ClassRule { spread: SignedDuration::from_mins(10), ..rule(None, QuietHolds::Message) };
    let leaves = |household: HouseholdId| {
        let ledger = Ledger { household: Some(household), ..Ledger::default() };
        let Decision::Defer(until) = judged(rule(), CustomerFacts::default(), ledger, NIGHT).decision else { panic!("it does not wait") };
        until
    };
    let households: Vec<HouseholdId> = (0..400).map(|_| HouseholdId::new()).collect();
    let mut by_minute = [0; 10];
    for household in &households {
        let late = leaves(*household).duration_since(time(NINE));
        assert_eq!(leaves(*household), leaves(*household), "the same every time");
        by_minute[usize::try_from(late.as_mins()).unwrap()] += 1;
    }
    assert!(by_minute.iter().all(|count| (15..=75).contains(count)), "{by_minute:?}");
}

/// NT-37, CA-84, NT-38, NT-44: what the ledger says against a contact, and that an earlier reservation is not counted again.
#[test]
fn the_ledger_speaks_in_reasons() {
    let cap = Cap {
        classes: vec![Class::Marketing],
        scope: CapScope::Person,
        limit: 1,
        window: Window::Month,
        defers: false,
        exempt_subject_kinds: Vec::new(),
        topics: Vec::new(),
    };
    let person = Some(CustomerId::new().into());
    let earlier =
        Counted { time: time("2026-03-01T02:00:00Z"), class: Class::Marketing, subject_kind: String::new(), topic: String::new() };
    let full = Ledger { person, caps: vec![("monthly".to_owned(), cap.clone())], person_contacts: vec![earlier], ..Ledger::default() };
    let open = || rule(None, QuietHolds::Message);
    let refused = judged(open(), CustomerFacts::default(), full.clone(), NINE);
    assert_eq!(refused.decision, Decision::Suppress(SuppressReason::Cap));
    let reason = &refused.reasons[0];
    assert_eq!((reason.code.as_str(), reason.rule.as_str(), reason.until), ("CAP_PERSON", "monthly", Some(time("2026-03-31T16:00:00Z"))));

    let waits = Ledger { caps: vec![("monthly".to_owned(), Cap { defers: true, ..cap })], ..full.clone() };
    // April begins at night: it waits until the morning.
    assert_eq!(judged(open(), CustomerFacts::default(), waits, NINE).decision, Decision::Defer(time("2026-04-01T01:00:00Z")));

    let counted = Ledger { already: Some(super::ids::ContactId::new()), ..full };
    assert!(matches!(judged(open(), CustomerFacts::default(), counted, NINE).decision, Decision::Send(_)));

    let situation = Ledger { situations: vec!["major_complaint".to_owned()], ..Ledger::default() };
    let suppressed = judged(open(), CustomerFacts::default(), situation, NINE);
    assert_eq!(suppressed.decision, Decision::Suppress(SuppressReason::Situation));
    assert_eq!(suppressed.reasons[0].code, "SUPPRESSED_MAJOR_COMPLAINT");

    let by_traits = Ledger { uses_profile: true, ..Ledger::default() };
    assert_eq!(judged(open(), CustomerFacts::default(), by_traits.clone(), NINE).decision, Decision::Suppress(SuppressReason::Profiling));
    let agreed = CustomerFacts { consents: vec![(Purpose::Profiling, Channel::Inbox)], ..CustomerFacts::default() };
    assert!(matches!(judged(open(), agreed, by_traits, NINE).decision, Decision::Send(_)));
}

/// NT-25: stop is a word of its own, in any case, width or spacing, and nothing that merely holds it.
#[test]
fn stop_is_understood_as_people_write_it() {
    let opt_out = OptOut { keywords: vec!["R".to_owned(), "TD".to_owned(), "退订".to_owned()], ..OptOut::default() };
    for reply in ["R", "r", " r ", "Ｒ", "td", "ＴＤ。", "退订", "退订！", "【退订】"] {
        assert!(opt_out.is_stop(reply), "{reply}");
    }
    for reply in ["", "好的", "谢谢R", "请问几点开始", "。"] {
        assert!(!opt_out.is_stop(reply), "{reply}");
    }
}

/// A topic covers what lies below it.
#[test]
fn topics_cover_what_lies_below_them() {
    let topics = ["marketing.parking".to_owned()];
    assert!(covers(&topics, "marketing.parking") && covers(&topics, "marketing.parking.monthly") && covers(&[], "anything"));
    assert!(!covers(&topics, "marketing.parking_lot") && !covers(&topics, "marketing"));
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
        let what = Circumstances {
            zone: TimeZone::UTC, rule: rule(Some(Purpose::Marketing), QuietHolds::Message), customer: Some(facts),
            ledger: Ledger::default(), audience: None,
        };
        let now = time("2026-03-02T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let recipient = Recipient::Customer(CustomerId::new());
        let judgement = judge(&Asked { class: Class::Marketing, by: By::Message(&recipient, &[]), at: now }, &what, now);
        let last = judgement.steps.last().unwrap().code;
        prop_assert_eq!(last, match judgement.decision {
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
