//! How and when a customer is reached: channels, preferences, quiet hours, the household's own moment after them.

use jiff::Timestamp;
use steward_kit::calendar::DailyWindow;

use super::circumstances::Circumstances;
use super::codes::{Channel, Class};
use super::message::Recipient;

/// The moment after `open` that is this household's own (or this customer's), so that not everything leaves at once. The
/// same every time, and even over all of them: ids are random at their end.
pub(super) fn spread(open: Timestamp, what: &Circumstances) -> Timestamp {
    let whose = what.ledger.household.map(|household| household.as_uuid()).or(what.ledger.person);
    let length = u64::try_from(what.rule.spread.as_millis()).unwrap_or_default();
    let (Some(whose), true) = (whose, length > 0) else { return open };
    let (_, low) = whose.as_u64_pair();
    // Multiplied by an odd constant, because the top bits of the low half are the same in every UUID.
    let place = low.wrapping_mul(0x9e37_79b9_7f4a_7c15) % length;
    open.saturating_add(jiff::SignedDuration::from_millis(i64::try_from(place).unwrap_or_default())).unwrap_or(open)
}

/// What the customer wants of the class, if that counts.
pub(super) fn preferred(class: Class, what: &Circumstances) -> Option<&Vec<Channel>> {
    let preferences = what.customer.as_ref()?.preferences.as_ref()?;
    if what.rule.heeds_preferences { preferences.classes.get(&class) } else { None }
}

/// The channels in the order the customer prefers; those not mentioned keep theirs, behind.
pub(super) fn ordered(basis: &[Channel], preference: Option<&Vec<Channel>>) -> Vec<Channel> {
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
pub(super) fn unreachable(channel: Channel, recipient: &Recipient, what: &Circumstances) -> Option<&'static str> {
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
pub(super) fn quiet_window(what: &Circumstances) -> Option<DailyWindow> {
    let own =
        what.customer.as_ref().and_then(|customer| customer.preferences.as_ref()).and_then(|preferences| preferences.quiet_hours.as_ref());
    match own {
        Some(own) => own.window(),
        None => what.rule.quiet_hours,
    }
}
