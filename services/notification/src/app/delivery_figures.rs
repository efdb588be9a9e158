//! What attempts to deliver count: how long they took, what came of them, how late a message reached its channel.

use std::sync::LazyLock;

use jiff::Timestamp;
use steward_kit::telemetry::{Counter, Histogram, SECONDS, counter, histogram, rename_span};

use crate::domain::codes::Channel;
use crate::domain::delivery::{Answer, Conclusion, Delivery, Tried};

/// A second when all is well, hours when another channel had to take over.
const DELAYS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];

static ATTEMPT: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "steward_notification_delivery_attempt_duration_seconds",
        "How long an attempt to deliver took, by channel and outcome",
        SECONDS,
    )
});

static CONCLUDED: LazyLock<Counter> = LazyLock::new(|| {
    counter("steward_notification_delivery_conclusions", "What attempts led to, by channel and conclusion: done, retry, fallback, dead")
});

static DELAY: LazyLock<Histogram> = LazyLock::new(|| {
    histogram("steward_notification_delivery_delay_seconds", "From the making of a delivery until its channel took it", DELAYS)
});

const DONE: &str = "done";
const RETRY: &str = "retry";
const FALLBACK: &str = "fallback";
const DEAD: &str = "dead";

/// Makes the series of the channels that attempts are made on begin with 0.
pub(crate) fn expect() {
    for channel in [Channel::Email, Channel::Webhook] {
        for conclusion in [DONE, RETRY, FALLBACK, DEAD] {
            CONCLUDED.add_fixed(0, [("channel", channel.as_str()), ("conclusion", conclusion)]);
        }
    }
}

/// Counts an attempt that was recorded, and says in its span what came of it.
pub(super) fn concluded(delivery: &Delivery, tried: &Tried, conclusion: &Conclusion, now: Timestamp) {
    let channel = delivery.channel.as_str();
    let outcome = match tried.answer {
        Answer::Taken { .. } => "accepted",
        Answer::ForNow { .. } => "failed_for_now",
        Answer::ForGood { .. } => "failed_for_good",
    };
    let led_to = match conclusion {
        Conclusion::Done => DONE,
        Conclusion::Retry(_) => RETRY,
        Conclusion::Fallback(_) => FALLBACK,
        Conclusion::Failed { .. } => DEAD,
    };
    let took = std::time::Duration::from_millis(u64::try_from(tried.duration_ms).unwrap_or_default());
    ATTEMPT.record(took.as_secs_f64(), &[("channel", channel), ("outcome", outcome)]);
    CONCLUDED.add_fixed(1, [("channel", channel), ("conclusion", led_to)]);
    if led_to == DONE {
        DELAY.record(now.duration_since(delivery.create_time).as_secs_f64().max(0.0), &[("channel", channel)]);
    }
    let span = tracing::Span::current();
    span.record("channel", channel).record("outcome", outcome);
    rename_span(&span, format!("deliver by {channel}"));
}
