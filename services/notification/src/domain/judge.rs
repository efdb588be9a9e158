//! May this message go out now, by which channels, and if not, why (NT-24, NT-28, NT-36).
//!
//! The questions come in one order: channels wanted, do not disturb, consent, reachability, quiet hours. Each answer is
//! a step that is kept with the message.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::calendar::DailyWindow;

use super::codes::{Channel, Class, Purpose, StepCode, SuppressReason};
use super::message::{Recipient, Step};
use super::policy::{ClassRule, QuietHolds};
use super::preference::Preferences;

/// What is known of the recipient and the place.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Zone of the estate: quiet hours are local.
    pub zone: TimeZone,
    /// The rule of the message's class.
    pub rule: ClassRule,
    /// The customer; none when the recipient is none, or is not known here (yet).
    pub customer: Option<CustomerFacts>,
}

/// What is known of a customer.
#[derive(Clone, Debug, Default)]
pub struct CustomerFacts {
    /// Language of the customer's record, as it stands there.
    pub language: Option<String>,
    /// Only service and emergency messages.
    pub do_not_disturb: bool,
    /// The e-mail address is proven wrong.
    pub email_invalid: bool,
    /// What the customer wants.
    pub preferences: Option<Preferences>,
    /// Consents that hold now.
    pub consents: Vec<(Purpose, Channel)>,
}

/// What is to become of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Goes out: each channel not before its time.
    Send(Vec<(Channel, Timestamp)>),
    /// Waits.
    Defer(Timestamp),
    /// Does not go out.
    Suppress(SuppressReason),
}

/// Decides. The steps tell how the decision came about, in order.
pub fn judge(class: Class, recipient: &Recipient, wanted: &[Channel], what: &Circumstances, now: Timestamp) -> (Decision, Vec<Step>) {
    let mut steps = Vec::new();
    let decision = decide(class, recipient, wanted, what, now, &mut steps);
    match &decision {
        Decision::Send(channels) => {
            for (channel, due) in channels {
                steps.push(Step::new(now, StepCode::ChannelChosen, [("channel", channel.to_string())]));
                if *due > now {
                    let details = [("channel", channel.to_string()), ("until", due.to_string()), ("reason", "quiet_hours".to_owned())];
                    steps.push(Step::new(now, StepCode::Deferred, details));
                }
            }
        }
        Decision::Defer(until) => {
            steps.push(Step::new(now, StepCode::Deferred, [("until", until.to_string()), ("reason", "quiet_hours".to_owned())]));
        }
        Decision::Suppress(reason) => steps.push(Step::new(now, StepCode::Suppressed, [("reason", reason.to_string())])),
    }
    (decision, steps)
}

fn decide(
    class: Class,
    recipient: &Recipient,
    wanted: &[Channel],
    what: &Circumstances,
    now: Timestamp,
    steps: &mut Vec<Step>,
) -> Decision {
    let rule = &what.rule;
    let mut left_out = |channel: Channel, reason: &str| {
        steps.push(Step::new(now, StepCode::ChannelLeftOut, [("channel", channel.to_string()), ("reason", reason.to_owned())]));
    };
    let basis = if wanted.is_empty() { &rule.channels } else { wanted };
    let preference = preferred(class, what);
    let mut channels = Vec::new();
    for channel in ordered(basis, preference) {
        let stays = channel == Channel::Inbox && rule.inbox_stays;
        if stays || preference.is_none_or(|preferred| preferred.contains(&channel)) {
            channels.push(channel);
        } else {
            left_out(channel, "preference");
        }
    }
    if channels.is_empty() {
        return Decision::Suppress(SuppressReason::Preference);
    }
    if rule.heeds_do_not_disturb && what.customer.as_ref().is_some_and(|customer| customer.do_not_disturb) {
        return Decision::Suppress(SuppressReason::DoNotDisturb);
    }
    if let Some(purpose) = rule.consent {
        let holds = |channel| what.customer.as_ref().is_some_and(|customer| customer.consents.contains(&(purpose, channel)));
        channels.retain(|channel| {
            let held = holds(*channel);
            if !held {
                left_out(*channel, "no_consent");
            }
            held
        });
        if channels.is_empty() {
            return Decision::Suppress(SuppressReason::NoConsent);
        }
    }
    channels.retain(|channel| match unreachable(*channel, recipient, what) {
        Some(reason) => {
            left_out(*channel, reason);
            false
        }
        None => true,
    });
    let consent = match rule.consent {
        Some(purpose) => Step::new(now, StepCode::ConsentFound, [("purpose", purpose.to_string())]),
        None => Step::new(now, StepCode::ConsentNotNeeded, [("class", class.to_string())]),
    };
    steps.push(consent);
    if channels.is_empty() {
        return Decision::Suppress(SuppressReason::NoChannel);
    }
    let open = quiet_window(what).and_then(|window| window.next_open(now, &what.zone).ok().flatten()).filter(|open| *open > now);
    match (rule.quiet_holds, open) {
        (QuietHolds::Message, Some(open)) => Decision::Defer(open),
        (QuietHolds::OutsideInbox, Some(open)) => {
            Decision::Send(channels.into_iter().map(|channel| (channel, if channel == Channel::Inbox { now } else { open })).collect())
        }
        (QuietHolds::Nothing, _) | (QuietHolds::Message | QuietHolds::OutsideInbox, None) => {
            Decision::Send(channels.into_iter().map(|channel| (channel, now)).collect())
        }
    }
}

/// What the customer wants of the class, if that counts.
fn preferred(class: Class, what: &Circumstances) -> Option<&Vec<Channel>> {
    let preferences = what.customer.as_ref()?.preferences.as_ref()?;
    if what.rule.heeds_preferences { preferences.classes.get(&class) } else { None }
}

/// The channels in the order the customer prefers; those not mentioned keep theirs, behind.
fn ordered(basis: &[Channel], preference: Option<&Vec<Channel>>) -> Vec<Channel> {
    let mut channels: Vec<Channel> = Vec::new();
    let first = preference.into_iter().flatten().filter(|channel| basis.contains(channel));
    for channel in first.chain(basis) {
        if !channels.contains(channel) {
            channels.push(*channel);
        }
    }
    channels
}

/// Why a channel does not reach the recipient.
fn unreachable(channel: Channel, recipient: &Recipient, what: &Circumstances) -> Option<&'static str> {
    match (channel, recipient) {
        (Channel::Inbox, Recipient::Webhook(_)) | (Channel::Webhook, Recipient::Customer(_) | Recipient::Staff(_) | Recipient::Role(_)) => {
            Some("not_for_recipient")
        }
        // The addresses of employees are not known to this service.
        (Channel::Email, Recipient::Staff(_) | Recipient::Role(_) | Recipient::Webhook(_)) => Some("not_for_recipient"),
        (Channel::Email, Recipient::Customer(_)) => {
            what.customer.as_ref().is_some_and(|customer| customer.email_invalid).then_some("address_invalid")
        }
        (Channel::Inbox, Recipient::Customer(_) | Recipient::Staff(_) | Recipient::Role(_)) | (Channel::Webhook, Recipient::Webhook(_)) => {
            None
        }
    }
}

/// The quiet hours that hold: the customer's own, else the policy's.
fn quiet_window(what: &Circumstances) -> Option<DailyWindow> {
    let own =
        what.customer.as_ref().and_then(|customer| customer.preferences.as_ref()).and_then(|preferences| preferences.quiet_hours.as_ref());
    match own {
        Some(own) => own.window(),
        None => what.rule.quiet_hours,
    }
}
