//! A delivery: a message on its way by one channel, attempt by attempt.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::error::WrongState;
use steward_kit::ids::{EstateId, MessageId};

use super::codes::{AttemptOutcome, Channel, DeliveryState, MessageState, StepCode};
use super::ids::{DeliveryId, WebhookEndpointId, id_at};
use super::message::{Message, Step};
use super::policy::RetryRule;

/// Most attempts that are kept with a delivery.
const ATTEMPTS_KEPT: usize = 20;

/// Longest cause that is kept.
const DETAIL_CHARS: usize = 300;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, 3; goes on after a redrive.
    pub number: i32,
    /// When it began.
    pub start_time: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// SMTP or HTTP status; 0 without an answer.
    pub response_code: i32,
    /// Cause in words; no personal data.
    pub detail: String,
}

/// A delivery as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, which the receiver sees with every attempt.
    pub id: DeliveryId,
    /// The message.
    pub message_id: MessageId,
    /// When the message was created; names its partition.
    pub message_create_time: Timestamp,
    /// The estate.
    pub estate_id: EstateId,
    /// The channel.
    pub channel: Channel,
    /// The endpoint of a webhook.
    pub webhook_endpoint_id: Option<WebhookEndpointId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempt_count: i32,
    /// Attempts before the last redrive; the limit counts from there.
    pub attempts_before: i32,
    /// When the next attempt is due.
    pub next_attempt_time: Option<Timestamp>,
    /// The last attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Whether it goes by the lane of what is said to many.
    pub is_bulk: bool,
    /// Version of the row.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When its state last changed.
    pub update_time: Timestamp,
}

/// What a channel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the message.
    Taken {
        /// Whether it has arrived, and not only been taken on.
        arrived: bool,
        /// Its status.
        code: i32,
    },
    /// Not now.
    ForNow {
        /// Its status; 0 without an answer.
        code: i32,
        /// Why; no personal data.
        detail: String,
        /// When it asked to be tried again.
        retry_after: Option<SignedDuration>,
    },
    /// Never.
    ForGood {
        /// Its status; 0 without an answer.
        code: i32,
        /// Why; no personal data.
        detail: String,
        /// Whether the address itself was refused.
        address_invalid: bool,
    },
}

/// An attempt and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// When it began.
    pub start_time: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// What was answered.
    pub answer: Answer,
}

/// What an attempt led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The channel has it.
    Done,
    /// Another attempt at a time.
    Retry(Timestamp),
    /// Given up; the next channel takes over.
    Fallback(Box<Delivery>),
    /// Given up, and nothing is left.
    Failed {
        /// Whether the address itself was refused.
        address_invalid: bool,
        /// Whether every delivery of the message is dead now.
        whole_message: bool,
    },
}

impl Delivery {
    /// A delivery that is due at `due`.
    pub fn new(message: &Message, channel: Channel, due: Timestamp, now: Timestamp) -> Self {
        let webhook_endpoint_id = match &message.recipient {
            super::message::Recipient::Webhook(id) => Some(*id),
            super::message::Recipient::Customer(_) | super::message::Recipient::Staff(_) | super::message::Recipient::Role(_) => None,
        };
        Self {
            id: id_at(now),
            message_id: message.id,
            message_create_time: message.create_time,
            estate_id: message.estate_id,
            channel,
            webhook_endpoint_id,
            state: DeliveryState::Queued,
            attempt_count: 0,
            attempts_before: 0,
            next_attempt_time: Some(due),
            attempts: Vec::new(),
            is_bulk: message.is_bulk(),
            row_version: 1,
            create_time: now,
            update_time: now,
        }
    }

    /// Ends a delivery that was only to be made if nobody read the message (NT-35).
    pub fn spare(&mut self, now: Timestamp) {
        self.state = DeliveryState::Read;
        self.next_attempt_time = None;
        self.update_time = now;
    }

    /// Writes an attempt down and decides what follows. `jitter` lies between -1 and 1.
    pub fn conclude(&mut self, message: &mut Message, tried: Tried, rule: &RetryRule, jitter: f64, now: Timestamp) -> Conclusion {
        let (outcome, code, detail) = match &tried.answer {
            Answer::Taken { code, .. } => (AttemptOutcome::Accepted, *code, ""),
            Answer::ForNow { code, detail, .. } => (AttemptOutcome::FailedForNow, *code, detail.as_str()),
            Answer::ForGood { code, detail, .. } => (AttemptOutcome::FailedForGood, *code, detail.as_str()),
        };
        self.attempt_count += 1;
        self.update_time = now;
        message.update_time = now;
        let detail: String = detail.chars().take(DETAIL_CHARS).collect();
        message.steps.push(self.step(
            now,
            StepCode::Attempted,
            [
                ("attempt", self.attempt_count.to_string()),
                ("outcome", outcome.to_string()),
                ("response_code", code.to_string()),
                ("detail", detail.clone()),
            ],
        ));
        self.attempts.push(Attempt {
            number: self.attempt_count,
            start_time: tried.start_time,
            duration_ms: tried.duration_ms,
            outcome,
            response_code: code,
            detail,
        });
        let surplus = self.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        self.attempts.drain(..surplus);
        match tried.answer {
            Answer::Taken { arrived, .. } => self.taken(message, arrived, now),
            Answer::ForNow { retry_after, .. } if self.attempt_count - self.attempts_before < rule.attempts => {
                self.again(message, rule.pause(self.attempt_count - self.attempts_before, retry_after, jitter), now)
            }
            Answer::ForNow { .. } => self.give_up(message, false, now),
            Answer::ForGood { address_invalid, .. } => self.give_up(message, address_invalid, now),
        }
    }

    fn taken(&mut self, message: &mut Message, arrived: bool, now: Timestamp) -> Conclusion {
        let (state, reached, code) = if arrived {
            (DeliveryState::Delivered, MessageState::Delivered, StepCode::Delivered)
        } else {
            (DeliveryState::Sent, MessageState::Sent, StepCode::Sent)
        };
        self.state = state;
        self.next_attempt_time = None;
        message.reach(reached, now);
        message.steps.push(self.step(now, code, []));
        Conclusion::Done
    }

    fn again(&mut self, message: &mut Message, pause: SignedDuration, now: Timestamp) -> Conclusion {
        let next = now.saturating_add(pause).unwrap_or(now);
        self.next_attempt_time = Some(next);
        message.steps.push(self.step(now, StepCode::RetrySet, [("until", next.to_string())]));
        Conclusion::Retry(next)
    }

    fn give_up(&mut self, message: &mut Message, address_invalid: bool, now: Timestamp) -> Conclusion {
        self.state = DeliveryState::Dead;
        self.next_attempt_time = None;
        message.steps.push(self.step(now, StepCode::Dead, [("attempt", self.attempt_count.to_string())]));
        if !message.content.later.is_empty() {
            let next = message.content.later.remove(0);
            let fallback = Self::new(message, next, now, now);
            message.steps.push(fallback.step(now, StepCode::ChannelChosen, [("instead_of", self.channel.to_string())]));
            return Conclusion::Fallback(Box::new(fallback));
        }
        let whole_message = message.state == MessageState::Queued;
        if whole_message {
            message.state = MessageState::Failed;
        }
        Conclusion::Failed { address_invalid, whole_message }
    }

    /// Puts a dead delivery back to work, with a fresh set of attempts.
    ///
    /// # Errors
    /// It is not dead.
    pub fn redrive(&mut self, message: &mut Message, by: &str, now: Timestamp) -> Result<(), WrongState> {
        match self.state {
            DeliveryState::Dead => {}
            DeliveryState::Queued | DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => {
                let allowed: [&str; 0] = [];
                return Err(WrongState::new(
                    "DELIVERY_STATE_FORBIDS",
                    format!("delivery {}", self.id),
                    self.state.as_str(),
                    allowed,
                    format!("a delivery that is {} can not be redriven; only a dead one", self.state),
                ));
            }
        }
        self.state = DeliveryState::Queued;
        self.attempts_before = self.attempt_count;
        self.next_attempt_time = Some(now);
        self.update_time = now;
        if message.state == MessageState::Failed {
            message.state = MessageState::Queued;
        }
        message.update_time = now;
        message.steps.push(self.step(now, StepCode::Redriven, [("by", by.to_owned())]));
        Ok(())
    }

    fn step<const N: usize>(&self, now: Timestamp, code: StepCode, details: [(&str, String); N]) -> Step {
        let mut step = Step::new(now, code, details);
        step.details.insert("channel".to_owned(), self.channel.to_string());
        step.details.insert("delivery_id".to_owned(), self.id.to_string());
        step
    }
}
