//! What the mechanisms count. Names carry the service: `steward_<service>_timer_lateness_seconds`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

/// Around the public promise: milliseconds when all is well, a minute after a crash. Delays of events are measured alike.
const LATENESS_BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 600.0];

/// Round trips to Postgres and Redis.
const PROBE_BOUNDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 3.0];

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
    event_publish_delay: Histogram<f64>,
    events_applied: Counter<u64>,
    events_repeated: Counter<u64>,
    event_apply_delay: Histogram<f64>,
    dead_letters: Counter<u64>,
    consumer_lag: Gauge<i64>,
    rekey_rows_remaining: Gauge<i64>,
    rekey_rows_changed: Counter<u64>,
    rekey_rows_failed: Counter<u64>,
    waiting: Gauge<i64>,
    waiting_age: Gauge<f64>,
    connections: Gauge<i64>,
    connections_max: Gauge<i64>,
    acquire: Histogram<f64>,
    redis_ping: Histogram<f64>,
    kept_house: Gauge<f64>,
}

impl Meters {
    pub(crate) fn of(service: &'static str) -> Self {
        let meter = global::meter("steward-kit-store");
        let counter =
            |name: &str, what: &'static str| meter.u64_counter(format!("steward_{service}_{name}")).with_description(what).build();
        let histogram = |name: &str, what: &'static str, bounds: &[f64]| {
            meter.f64_histogram(format!("steward_{service}_{name}")).with_description(what).with_boundaries(bounds.to_vec()).build()
        };
        let level = |name: &str, what: &'static str| meter.i64_gauge(format!("steward_{service}_{name}")).with_description(what).build();
        let amount = |name: &str, what: &'static str| meter.f64_gauge(format!("steward_{service}_{name}")).with_description(what).build();
        Self {
            timer_lateness: histogram(
                "timer_lateness_seconds",
                "From the time a timer was due to the commit of its effect",
                &LATENESS_BOUNDS,
            ),
            timers_fired: counter("timers_fired", "Timers whose effect was committed"),
            timers_failed: counter("timers_failed", "Attempts to fire a timer that its handler failed"),
            timers_repaired: counter("timers_repaired", "Timers that the sweeper had to put into the index"),
            timers_fired_without_redis: counter("timers_fired_without_redis", "Timers fired from Postgres alone"),
            events_published: counter("events_published", "Events appended to the stream and marked"),
            events_restored: counter("events_restored", "Events to publish again because the stream lost them"),
            event_publish_delay: histogram(
                "event_publish_delay_seconds",
                "From the commit of a fact to its publication; the oldest of each batch",
                &LATENESS_BOUNDS,
            ),
            events_applied: counter("events_applied", "Events whose effect was committed"),
            events_repeated: counter("events_repeated", "Deliveries of events that were applied before"),
            event_apply_delay: histogram(
                "event_apply_delay_seconds",
                "From the publication of an event to the commit of its effect; the oldest of each batch",
                &LATENESS_BOUNDS,
            ),
            dead_letters: counter("dead_letters", "Events given up on and kept as dead letters"),
            consumer_lag: level("event_consumer_lag", "Published events that a consumer group has not acknowledged"),
            rekey_rows_remaining: level("rekey_rows_remaining", "Rows with a value that an older key than the current one sealed"),
            rekey_rows_changed: counter("rekey_rows_changed", "Rows whose values were sealed anew by the current key"),
            rekey_rows_failed: counter("rekey_rows_failed", "Rows with a value that should be sealed anew and does not open"),
            waiting: level("waiting", "What waits, by queue (timers, outbox, dead_letters) and kind; counted up to 10 000"),
            waiting_age: amount("waiting_oldest_age_seconds", "How long the oldest of what waits has waited; 0 if nothing waits"),
            connections: level("postgres_connections", "Connections of this process's pool, by state: used, idle"),
            connections_max: level("postgres_connections_max", "Most connections that the pool may open"),
            acquire: histogram(
                "postgres_acquire_seconds",
                "How long a connection of the pool took to get, tried every few seconds",
                &PROBE_BOUNDS,
            ),
            redis_ping: histogram("redis_ping_seconds", "How long Redis took to answer, tried every few seconds", &PROBE_BOUNDS),
            kept_house: amount("housekeeping_last_success_timestamp_seconds", "When the last round of housekeeping ended well"),
        }
    }

    /// Makes the series of a kind of timer begin with 0, so that the first of each is an increase.
    pub(crate) fn expect_timers(&self, kind: &'static str) {
        let attributes = [KeyValue::new("kind", kind)];
        for counter in [&self.timers_fired, &self.timers_failed] {
            counter.add(0, &attributes);
        }
        for counter in [&self.timers_repaired, &self.timers_fired_without_redis] {
            counter.add(0, &[]);
        }
    }

    /// The same for a consumer.
    pub(crate) fn expect_events(&self, consumer: &str) {
        let attributes = [KeyValue::new("consumer", consumer.to_owned())];
        for counter in [&self.events_applied, &self.events_repeated, &self.dead_letters] {
            counter.add(0, &attributes);
        }
    }

    /// The same for a relay.
    pub(crate) fn expect_publications(&self) {
        for counter in [&self.events_published, &self.events_restored] {
            counter.add(0, &[]);
        }
    }

    /// `kind` tells apart what waits in one queue; empty where nothing does.
    pub(crate) fn waits(&self, queue: &'static str, kind: &str, count: i64, oldest: SignedDuration) {
        let attributes = [KeyValue::new("queue", queue), KeyValue::new("kind", kind.to_owned())];
        self.waiting.record(count, &attributes);
        self.waiting_age.record(oldest.as_secs_f64().max(0.0), &attributes);
    }

    pub(crate) fn pool(&self, used: i64, idle: i64, most: i64) {
        self.connections.record(used, &[KeyValue::new("state", "used")]);
        self.connections.record(idle, &[KeyValue::new("state", "idle")]);
        self.connections_max.record(most, &[]);
    }

    pub(crate) fn acquired(&self, after: Duration) {
        self.acquire.record(after.as_secs_f64(), &[]);
    }

    pub(crate) fn redis_answered(&self, after: Duration) {
        self.redis_ping.record(after.as_secs_f64(), &[]);
    }

    pub(crate) fn kept_house(&self, at: Timestamp) {
        self.kept_house.record(at.as_duration().as_secs_f64(), &[]);
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

    pub(crate) fn published(&self, count: usize, oldest: Option<SignedDuration>) {
        self.events_published.add(wide(count), &[]);
        if let Some(oldest) = oldest {
            self.event_publish_delay.record(oldest.as_secs_f64().max(0.0), &[]);
        }
    }

    pub(crate) fn restored(&self, count: u64) {
        self.events_restored.add(count, &[]);
    }

    pub(crate) fn applied(&self, consumer: &str, applied: usize, repeated: usize, oldest: Option<SignedDuration>) {
        let attributes = [KeyValue::new("consumer", consumer.to_owned())];
        self.events_applied.add(wide(applied), &attributes);
        self.events_repeated.add(wide(repeated), &attributes);
        if let Some(oldest) = oldest {
            self.event_apply_delay.record(oldest.as_secs_f64().max(0.0), &attributes);
        }
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

    /// 0 rows make the series of a table begin.
    pub(crate) fn rekeyed(&self, table: &'static str, changed: u64, failed: u64) {
        let attributes = [KeyValue::new("table", table)];
        self.rekey_rows_changed.add(changed, &attributes);
        self.rekey_rows_failed.add(failed, &attributes);
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
