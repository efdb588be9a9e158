//! Setting telemetry up, and bringing it to its end.

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::LogFormat;
use super::lines::WithTrace;
use crate::config::TelemetryConfig;

/// Keeps telemetry alive; what is still unsent is sent when it is dropped.
#[derive(Debug)]
pub struct TelemetryGuard {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        // There is nobody left to tell of a failure.
        let _ = self.tracers.shutdown();
        let _ = self.meters.shutdown();
    }
}

/// Sets up logs, traces and metrics for the process, and serves the metrics page if it has an address. Called inside
/// the runtime.
///
/// # Errors
/// A part of the configuration does not work, or telemetry was set up before.
pub async fn init(service: &'static str, config: &TelemetryConfig) -> anyhow::Result<TelemetryGuard> {
    init_to(service, config, std::io::stdout).await
}

/// [`init`] with the log written to `log`: for tests that read what a process says.
///
/// # Errors
/// As [`init`].
pub async fn init_to<W>(service: &'static str, config: &TelemetryConfig, log: W) -> anyhow::Result<TelemetryGuard>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let resource = Resource::builder().with_service_name(service).build();

    let registry = prometheus::Registry::new();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        // Names say their units themselves, and a label per scope would multiply every series.
        .without_units()
        .scope_info_enabled(false)
        .build()
        .context("setting up the metrics page")?;
    let meters = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(exporter);
    let meters = match &config.otlp_endpoint {
        Some(endpoint) => {
            let exporter = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build();
            meters.with_periodic_exporter(exporter.context("setting up the metrics exporter")?)
        }
        None => meters,
    }
    .build();
    opentelemetry::global::set_meter_provider(meters.clone());

    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let tracers = SdkTracerProvider::builder().with_resource(resource).with_sampler(sampler);
    let tracers = match &config.otlp_endpoint {
        Some(endpoint) => {
            let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
            tracers.with_batch_exporter(exporter.context("setting up the trace exporter")?)
        }
        None => tracers,
    }
    .build();

    let format = tracing_subscriber::fmt::layer().with_writer(log);
    let lines = match config.log_format {
        LogFormat::Json => {
            format.json().flatten_event(true).with_current_span(true).with_span_list(false).map_event_format(WithTrace).boxed()
        }
        LogFormat::Pretty => format.with_target(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(config.log.parse::<EnvFilter>().context("reading the log filter")?)
        .with(lines)
        .with(tracing_opentelemetry::layer().with_tracer(tracers.tracer("steward")).with_threads(false).with_location(false))
        .try_init()
        .context("telemetry was set up before")?;

    report_panics_by_place();
    if let Some(address) = config.metrics_listen {
        let listener = tokio::net::TcpListener::bind(address).await.context("listening for the metrics page")?;
        #[allow(clippy::disallowed_methods, reason = "the page lives as long as the process")]
        tokio::spawn(super::serve_metrics(listener, registry));
    }
    Ok(TelemetryGuard { tracers, meters })
}

/// A panic's text may hold whatever was in the value that failed; its place is enough to find it.
fn report_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a thread panicked");
    }));
}
