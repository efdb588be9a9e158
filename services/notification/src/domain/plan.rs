//! From a judged message to what is written: its state, its deliveries, its place in an inbox, and what is told of it.

use jiff::Timestamp;

use super::circumstances::Circumstances;
use super::codes::{AttemptOutcome, Channel, DeliveryState, MessageState, StepCode};
use super::delivery::{Attempt, Delivery};
use super::judge::{Asked, By, Decision, Judgement, judge};
use super::ledger::{Changes, of_judged};
use super::message::{Message, Step};

/// A message with what follows from its judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The message as it then stands.
    pub message: Message,
    /// Its deliveries: the one into the inbox is made, others are due.
    pub deliveries: Vec<Delivery>,
    /// Business key that makes it single (NT-40).
    pub key: Vec<u8>,
    /// What the contact ledger is told.
    pub ledger: Changes,
}

impl Planned {
    /// The delivery into the inbox, if there is one.
    pub fn inbox(&self) -> Option<&Delivery> {
        self.deliveries.iter().find(|delivery| delivery.channel == Channel::Inbox)
    }

    /// The deliveries that a worker must make.
    pub fn due(&self) -> impl Iterator<Item = (&Delivery, Timestamp)> {
        self.deliveries.iter().filter_map(|delivery| delivery.next_attempt_time.map(|due| (delivery, due)))
    }
}

/// Judges a message that is new or has waited, and plans what follows. The inbox gets it at once; of the other channels
/// the first one is tried, and the next only when it fails (NT-35).
pub fn plan(mut message: Message, what: &Circumstances, key: Vec<u8>, now: Timestamp) -> Planned {
    let asked = Asked { class: message.class, by: By::Message(&message.recipient, &message.content.wanted), at: now };
    let Judgement { decision, steps, reasons } = judge(&asked, what, now);
    message.steps.extend(steps);
    message.update_time = now;
    message.held_until = message.defer_until.take().or(message.held_until);
    message.content.unjudged = false;
    let mut deliveries = Vec::new();
    match decision {
        Decision::Defer(until) => {
            message.state = MessageState::Deferred;
            message.defer_until = Some(until);
        }
        Decision::Suppress(reason) => {
            message.state = MessageState::Suppressed;
            message.suppress_reason = Some(reason);
        }
        Decision::Send(channels) => {
            message.state = MessageState::Queued;
            let mut outside = channels.iter().filter(|(channel, _)| *channel != Channel::Inbox);
            let has_inbox = channels.iter().any(|(channel, _)| *channel == Channel::Inbox);
            if has_inbox {
                deliveries.push(into_inbox(&mut message, now));
            }
            if let Some((channel, due)) = outside.next() {
                // Quiet hours may hold the only way out although the message itself is judged.
                message.held_until = Some(*due).filter(|due| *due > now && !has_inbox).or(message.held_until);
                // Where the policy waits for the inbox to be read, the next channel is only tried after that.
                let unread = what.rule.fallback_when_unread.filter(|_| has_inbox).and_then(|unread| now.saturating_add(unread).ok());
                deliveries.push(Delivery::new(&message, *channel, unread.map_or(*due, |unread| unread.max(*due)), now));
            }
            message.content.later = outside.map(|(channel, _)| *channel).collect();
        }
    }
    let is_counted = !what.ledger.caps.is_empty();
    let ledger = of_judged(&mut message, what.ledger.already, is_counted, &reasons, now);
    Planned { message, deliveries, key, ledger }
}

/// The inbox is a table of ours: written with the message, it has arrived.
fn into_inbox(message: &mut Message, now: Timestamp) -> Delivery {
    let mut delivery = Delivery::new(message, Channel::Inbox, now, now);
    delivery.state = DeliveryState::Delivered;
    delivery.next_attempt_time = None;
    delivery.attempt_count = 1;
    delivery.attempts.push(Attempt {
        number: 1,
        start_time: now,
        duration_ms: 0,
        outcome: AttemptOutcome::Accepted,
        response_code: 0,
        detail: String::new(),
    });
    message.reach(MessageState::Delivered, now);
    message.steps.push(Step::new(now, StepCode::Delivered, [("channel", Channel::Inbox.to_string())]));
    delivery
}
