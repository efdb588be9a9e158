//! What the mechanisms count. Names carry the service: `steward_<service>_timer_lateness_seconds`.

use jiff::SignedDuration;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

/// Around the public promise: milliseconds when all is well, a minute after a crash.
const LATENESS_BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 600.0];

/// The instruments of one service. Made after telemetry was set up; before, they count into nothing.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    timer_lateness: Histogram<f64>,
    timers_fired: Counter<u64>,
    timers_failed: Counter<u64>,
    timers_repaired: Counter<u64>,
    timers_fired_without_redis: Counter<u64>,
    events_published: Counter<u64>,
    events_restored: Counter<u64>,
    events_applied: Counter<u64>,
    events_repeated: Counter<u64>,
    dead_letters: Counter<u64>,
    consumer_lag: Gauge<i64>,
    rekey_rows_remaining: Gauge<i64>,
    rekey_rows_changed: Counter<u64>,
    rekey_rows_failed: Counter<u64>,
}

impl Meters {
    pub(crate) fn of(service: &'static str) -> Self {
        let meter = global::meter("steward-kit-store");
        let counter =
            |name: &str, what: &'static str| meter.u64_counter(format!("steward_{service}_{name}")).with_description(what).build();
        Self {
            timer_lateness: meter
                .f64_histogram(format!("steward_{service}_timer_lateness_seconds"))
                .with_description("From the time a timer was due to the commit of its effect")
                .with_boundaries(LATENESS_BOUNDS.to_vec())
                .build(),
            timers_fired: counter("timers_fired", "Timers whose effect was committed"),
            timers_failed: counter("timers_failed", "Attempts to fire a timer that its handler failed"),
            timers_repaired: counter("timers_repaired", "Timers that the sweeper had to put into the index"),
            timers_fired_without_redis: counter("timers_fired_without_redis", "Timers fired from Postgres alone"),
            events_published: counter("events_published", "Events appended to the stream and marked"),
            events_restored: counter("events_restored", "Events to publish again because the stream lost them"),
            events_applied: counter("events_applied", "Events whose effect was committed"),
            events_repeated: counter("events_repeated", "Deliveries of events that were applied before"),
            dead_letters: counter("dead_letters", "Events given up on and kept as dead letters"),
            consumer_lag: meter
                .i64_gauge(format!("steward_{service}_event_consumer_lag"))
                .with_description("Published events that a consumer group has not acknowledged")
                .build(),
            rekey_rows_remaining: meter
                .i64_gauge(format!("steward_{service}_rekey_rows_remaining"))
                .with_description("Rows with a value that an older key than the current one sealed")
                .build(),
            rekey_rows_changed: counter("rekey_rows_changed", "Rows whose values were sealed anew by the current key"),
            rekey_rows_failed: counter("rekey_rows_failed", "Rows with a value that should be sealed anew and does not open"),
        }
    }

    pub(crate) fn timer_fired(&self, kind: &'static str, late: SignedDuration) {
        let attributes = [KeyValue::new("kind", kind)];
        self.timer_lateness.record(late.as_secs_f64().max(0.0), &attributes);
        self.timers_fired.add(1, &attributes);
    }

    pub(crate) fn timer_failed(&self, kind: String) {
        self.timers_failed.add(1, &[KeyValue::new("kind", kind)]);
    }

    pub(crate) fn timers_repaired(&self, count: usize) {
        self.timers_repaired.add(wide(count), &[]);
    }

    pub(crate) fn timers_fired_without_redis(&self, count: usize) {
        self.timers_fired_without_redis.add(wide(count), &[]);
    }

    pub(crate) fn published(&self, count: usize) {
        self.events_published.add(wide(count), &[]);
    }

    pub(crate) fn restored(&self, count: u64) {
        self.events_restored.add(count, &[]);
    }

    pub(crate) fn applied(&self, consumer: &str, applied: usize, repeated: usize) {
        let attributes = [KeyValue::new("consumer", consumer.to_owned())];
        self.events_applied.add(wide(applied), &attributes);
        self.events_repeated.add(wide(repeated), &attributes);
    }

    pub(crate) fn buried(&self, consumer: &str) {
        self.dead_letters.add(1, &[KeyValue::new("consumer", consumer.to_owned())]);
    }

    pub(crate) fn consumer_lag(&self, shard: u16, lag: &[(String, i64)]) {
        for (consumer, behind) in lag {
            let attributes = [KeyValue::new("consumer", consumer.clone()), KeyValue::new("shard", i64::from(shard))];
            self.consumer_lag.record(*behind, &attributes);
        }
    }

    pub(crate) fn rekey_remaining(&self, table: &'static str, rows: i64) {
        self.rekey_rows_remaining.record(rows, &[KeyValue::new("table", table)]);
    }

    pub(crate) fn rekeyed(&self, table: &'static str, changed: u64, failed: u64) {
        let attributes = [KeyValue::new("table", table)];
        self.rekey_rows_changed.add(changed, &attributes);
        self.rekey_rows_failed.add(failed, &attributes);
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
