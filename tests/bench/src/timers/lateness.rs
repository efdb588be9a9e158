//! How late timers were, as the product counts it: from when one was due to the commit of its effect. Its histogram is read here with
//! finer steps than the metrics page has.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, SdkMeterProvider, Stream};
use prometheus::Registry;

/// What ends the name of the histogram.
const NAME: &str = "timer_lateness_seconds";

/// Tenths of a millisecond up to 8 ms, then growing by a tenth up to a minute.
fn bounds() -> Vec<f64> {
    let mut bounds: Vec<f64> = (1..=80).map(|tenths| f64::from(tenths) / 10_000.0).collect();
    let mut bound = 0.008;
    while bound < 60.0 {
        bound *= 1.1;
        bounds.push(bound);
    }
    bounds
}

/// The histogram.
#[derive(Clone)]
pub(super) struct Lateness(Registry);

impl Lateness {
    /// Counts from now on. Before any timer service is made, or it counts into nothing.
    pub(super) fn watch() -> Result<Self> {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        if let Some(registry) = REGISTRY.get() {
            return Ok(Self(registry.clone()));
        }
        let registry = Registry::new();
        let exporter =
            opentelemetry_prometheus::exporter().with_registry(registry.clone()).without_units().scope_info_enabled(false).build()?;
        let finer = |instrument: &Instrument| {
            let histogram = Aggregation::ExplicitBucketHistogram { boundaries: bounds(), record_min_max: false };
            instrument.name().ends_with(NAME).then(|| Stream::builder().with_aggregation(histogram).build().ok()).flatten()
        };
        opentelemetry::global::set_meter_provider(SdkMeterProvider::builder().with_reader(exporter).with_view(finer).build());
        Ok(Self(REGISTRY.get_or_init(|| registry).clone()))
    }

    /// All timers of a kind so far.
    pub(super) fn of(&self, kind: &str) -> Result<Late> {
        let families = self.0.gather();
        let mut counts = BTreeMap::new();
        for family in families.iter().filter(|family| family.name().ends_with(NAME)) {
            for metric in family.get_metric() {
                if metric.get_label().iter().any(|label| label.name() == "kind" && label.value() == kind) {
                    for bucket in metric.get_histogram().get_bucket() {
                        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bound in microseconds")]
                        let micros = (bucket.upper_bound().min(1e6) * 1e6).round() as u64;
                        *counts.entry(micros).or_insert(0) += bucket.cumulative_count();
                    }
                }
            }
        }
        Ok(Late(counts))
    }
}

/// Cumulative counts by upper bound, in microseconds.
pub(super) struct Late(BTreeMap<u64, u64>);

impl Late {
    /// What came after an earlier look.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self(self.0.iter().map(|(bound, count)| (*bound, count - earlier.0.get(bound).copied().unwrap_or(0))).collect())
    }

    pub(super) fn count(&self) -> u64 {
        self.0.values().copied().max().unwrap_or(0)
    }

    /// The upper bound of the step in which this share of the timers ends, in milliseconds.
    pub(super) fn quantile_ms(&self, share: f64) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts of timers")]
        let wanted = share * self.count() as f64;
        #[expect(clippy::cast_precision_loss, reason = "counts of timers")]
        let reached = self.0.iter().find(|(_, count)| **count as f64 >= wanted && **count > 0);
        let (bound, _) = reached.context("no timer fired")?;
        #[expect(clippy::cast_precision_loss, reason = "microseconds")]
        Ok(*bound as f64 / 1000.0)
    }
}
