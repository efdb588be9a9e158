//! What is told of messages, and the timers that keep them going.

use jiff::Timestamp;
use steward_kit_store::{Effects, NewEvent, TimerChange};
use steward_proto::notification::v1 as pb;

use crate::contract::Code;
use crate::domain::codes::{Channel, DeliveryState, SuppressReason};
use crate::domain::consent::Consent;
use crate::domain::delivery::{Conclusion, Delivery};
use crate::domain::message::Message;
use crate::domain::plan::Planned;

/// Timer kind: a message that waited is judged anew.
pub(crate) const MESSAGE_DUE: &str = "message_due";

/// Timer kind: a delivery is attempted.
pub(crate) const DELIVERY_ATTEMPT: &str = "delivery_attempt";

fn facts(message: &Message) -> pb::MessageFacts {
    pb::MessageFacts {
        message_id: message.id.to_string(),
        estate_id: message.estate_id.to_string(),
        customer_id: message.recipient.customer().map(|id| id.to_string()).unwrap_or_default(),
        message_class: message.class.number(),
        template_key: message.template_key.clone(),
        subject_kind: message.subject_kind.clone(),
        subject_id: message.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        household_id: message.household_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn event<M: prost::Message + prost::Name>(message: &Message, now: Timestamp, payload: &M) -> NewEvent {
    NewEvent::new(message.id, message.estate_id, now, payload)
}

/// The timer that makes an attempt.
pub(crate) fn attempt_timer(delivery: &Delivery, due: Timestamp) -> TimerChange {
    TimerChange::set(DELIVERY_ATTEMPT, delivery.id, "", delivery.estate_id, due)
}

/// What follows from a judged message.
pub(crate) fn of_planned(planned: &Planned, now: Timestamp) -> Effects {
    let message = &planned.message;
    let mut effects = Effects::none();
    if let Some(until) = message.defer_until {
        let payload =
            pb::MessageDeferred { message: Some(facts(message)), defer_until_time: Some(steward_kit::proto::to_timestamp(until)) };
        effects.events.push(event(message, now, &payload));
        effects.timers.push(TimerChange::set(MESSAGE_DUE, message.id, "", message.estate_id, until));
    }
    if message.content.unjudged {
        effects.timers.push(TimerChange::set(MESSAGE_DUE, message.id, "", message.estate_id, now));
    }
    if let Some(reason) = message.suppress_reason {
        effects.events.push(event(message, now, &pb::MessageSuppressed { message: Some(facts(message)), reason: reason.number() }));
    }
    if planned.inbox().is_some() {
        let payload = pb::MessageDelivered { message: Some(facts(message)), channel: Channel::Inbox.number() };
        effects.events.push(event(message, now, &payload));
    }
    effects.timers.extend(planned.due().map(|(delivery, due)| attempt_timer(delivery, due)));
    effects
}

/// What follows when a message that had waited was judged: its timer, which stands for the end of a lease, has done its
/// work unless it is set for another time.
pub(crate) fn of_settled(planned: &Planned, now: Timestamp) -> Effects {
    let mut effects = of_planned(planned, now);
    if planned.message.defer_until.is_none() {
        effects.timers.push(TimerChange::cancel(MESSAGE_DUE, planned.message.id, ""));
    }
    effects
}

/// What follows from a delivery that is not needed: nothing is to be attempted.
pub(crate) fn of_spared(delivery: &Delivery) -> Effects {
    Effects { timers: vec![TimerChange::cancel(DELIVERY_ATTEMPT, delivery.id, "")], ..Effects::none() }
}

/// What follows from an attempt.
pub(crate) fn of_conclusion(delivery: &Delivery, message: &Message, conclusion: &Conclusion, now: Timestamp) -> Effects {
    let done = TimerChange::cancel(DELIVERY_ATTEMPT, delivery.id, "");
    let channel = delivery.channel.number();
    let mut effects = Effects::none();
    match conclusion {
        Conclusion::Done => {
            effects.timers.push(done);
            let message_facts = Some(facts(message));
            effects.events.push(if delivery.state == DeliveryState::Delivered {
                event(message, now, &pb::MessageDelivered { message: message_facts, channel })
            } else {
                event(message, now, &pb::MessageSent { message: message_facts, channel })
            });
        }
        Conclusion::Retry(due) => effects.timers.push(attempt_timer(delivery, *due)),
        Conclusion::Fallback(next) => effects.timers.extend([done, attempt_timer(next, now)]),
        Conclusion::Failed { address_invalid, whole_message } => {
            effects.timers.push(done);
            if *whole_message || *address_invalid {
                let payload = pb::MessageFailed { message: Some(facts(message)), channel, address_invalid: *address_invalid };
                effects.events.push(event(message, now, &payload));
            }
        }
    }
    effects
}

/// A message was not made, because its recipient was told the same before. It names what it was about, and no message.
pub(crate) fn repeated(message: &Message, now: Timestamp) -> NewEvent {
    let facts = pb::MessageFacts { message_id: String::new(), ..facts(message) };
    event(message, now, &pb::MessageSuppressed { message: Some(facts), reason: SuppressReason::Repeated.number() })
}

/// A message was read in the inbox.
pub(crate) fn read(
    message: pb::MessageFacts,
    id: steward_kit::ids::MessageId,
    estate: steward_kit::ids::EstateId,
    now: Timestamp,
) -> NewEvent {
    NewEvent::new(id, estate, now, &pb::MessageRead { message: Some(message), channel: Channel::Inbox.number() })
}

/// A customer agreed.
pub(crate) fn consent_given(consent: &Consent, now: Timestamp) -> NewEvent {
    let payload = pb::ConsentGiven {
        consent_id: consent.id.to_string(),
        customer_id: consent.customer_id.to_string(),
        purpose: consent.purpose.number(),
        channel: consent.channel.number(),
        give_time: Some(steward_kit::proto::to_timestamp(consent.give_time)),
    };
    NewEvent::new(consent.customer_id, None, now, &payload)
}

/// A customer withdrew consent.
pub(crate) fn consent_withdrawn(consent: &Consent, now: Timestamp) -> NewEvent {
    let payload = pb::ConsentWithdrawn {
        consent_id: consent.id.to_string(),
        customer_id: consent.customer_id.to_string(),
        purpose: consent.purpose.number(),
        channel: consent.channel.number(),
        withdraw_time: Some(steward_kit::proto::to_timestamp(now)),
    };
    NewEvent::new(consent.customer_id, None, now, &payload)
}
