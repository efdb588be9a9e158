//! Counters, gauges and histograms, without the names of a telemetry library in every crate.
//!
//! Names are whole: `steward_work_order_timer_lateness_seconds`. A counter's name ends in what it counts; the page adds
//! `_total`. Keep a metric in a `LazyLock`, so that it is made at its first use, after [`super::init`].

use opentelemetry::{KeyValue, global, metrics};

/// The boundaries of histograms of seconds: from half a millisecond to a minute.
pub const SECONDS: &[f64] = &[0.0005, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// A number that only rises.
#[derive(Clone, Debug)]
pub struct Counter(metrics::Counter<u64>);

/// A number that stands at something.
#[derive(Clone, Debug)]
pub struct Gauge(metrics::Gauge<f64>);

/// How often a measurement fell where.
#[derive(Clone, Debug)]
pub struct Histogram(metrics::Histogram<f64>);

/// A counter of the name `name`; `help` is one sentence for the dashboard.
pub fn counter(name: &'static str, help: &'static str) -> Counter {
    Counter(global::meter("steward").u64_counter(name).with_description(help).build())
}

/// A gauge.
pub fn gauge(name: &'static str, help: &'static str) -> Gauge {
    Gauge(global::meter("steward").f64_gauge(name).with_description(help).build())
}

/// A histogram with the upper boundaries `boundaries`, such as [`SECONDS`].
pub fn histogram(name: &'static str, help: &'static str, boundaries: &[f64]) -> Histogram {
    let meter = global::meter("steward");
    Histogram(meter.f64_histogram(name).with_description(help).with_boundaries(boundaries.to_vec()).build())
}

/// What tells series of one metric apart. Values must be few: never an id.
type Labels<'a> = &'a [(&'static str, &'a str)];

impl Counter {
    /// Counts `count` more.
    pub fn add(&self, count: u64, labels: Labels<'_>) {
        self.0.add(count, &pairs(labels));
    }

    /// [`Counter::add`] by labels that are constants: copies nothing, for what is counted on every request.
    pub fn add_fixed<const N: usize>(&self, count: u64, labels: [(&'static str, &'static str); N]) {
        self.0.add(count, &labels.map(|(name, value)| KeyValue::new(name, value)));
    }
}

impl Gauge {
    /// Sets where it stands.
    pub fn set(&self, value: f64, labels: Labels<'_>) {
        self.0.record(value, &pairs(labels));
    }
}

impl Histogram {
    /// Records one measurement.
    pub fn record(&self, value: f64, labels: Labels<'_>) {
        self.0.record(value, &pairs(labels));
    }

    /// [`Histogram::record`] by labels that are constants: copies nothing, for what is measured on every request.
    pub fn record_fixed<const N: usize>(&self, value: f64, labels: [(&'static str, &'static str); N]) {
        self.0.record(value, &labels.map(|(name, value)| KeyValue::new(name, value)));
    }
}

fn pairs(labels: Labels<'_>) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| KeyValue::new(*name, (*value).to_owned())).collect()
}
