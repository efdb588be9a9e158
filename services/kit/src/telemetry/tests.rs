use http::HeaderMap;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::config::TelemetryConfig;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn with_tracing(work: impl FnOnce()) {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
}

#[test]
fn a_trace_passes_through_a_process() {
    with_tracing(|| {
        let mut incoming = HeaderMap::new();
        incoming.insert("traceparent", TRACE.parse().expect("a header"));
        let span = tracing::info_span!("served");
        parent_span(&span, &incoming);
        let _entered = span.enter();

        let mut outgoing = HeaderMap::new();
        inject(&mut outgoing);
        let sent = outgoing["traceparent"].to_str().expect("text").to_owned();
        assert_eq!(sent[..35], TRACE[..35], "the trace stays");
        assert_ne!(sent[36..52], TRACE[36..52], "the span is ours");
        assert_eq!(current_traceparent(), Some(sent));
    });
}

#[test]
fn an_event_continues_its_trace_and_a_damaged_one_is_passed_over() {
    with_tracing(|| {
        let span = tracing::info_span!("applied");
        continue_trace(&span, TRACE);
        assert_eq!(span.in_scope(current_traceparent).map(|text| text[..35].to_owned()), Some(TRACE[..35].to_owned()));
        let span = tracing::info_span!("applied");
        continue_trace(&span, "rubbish");
        assert!(span.in_scope(current_traceparent).is_some_and(|text| text[..35] != TRACE[..35]));
    });
    assert_eq!(current_traceparent(), None, "nothing is traced without telemetry");
}

#[tokio::test]
async fn the_page_shows_what_was_measured() {
    let registry = prometheus::Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).without_units().scope_info_enabled(false);
    let provider = opentelemetry_sdk::metrics::SdkMeterProvider::builder().with_reader(exporter.build().expect("builds")).build();
    opentelemetry::global::set_meter_provider(provider);
    counter("steward_test_calls", "calls").add(2, &[("kind", "good")]);
    gauge("steward_test_depth", "depth").set(1.5, &[]);
    histogram("steward_test_seconds", "seconds", SECONDS).record(0.02, &[]);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    let page = tokio::spawn(serve_metrics(listener, registry));
    let text = get(address, "/metrics").await;
    page.abort();
    for line in [
        "steward_test_calls_total{kind=\"good\"} 2",
        "steward_test_depth 1.5",
        "steward_test_seconds_bucket{le=\"0.025\"} 1",
        "steward_test_seconds_bucket{le=\"0.01\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut connection = tokio::net::TcpStream::connect(address).await.expect("connects");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("asks");
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("answers");
    text
}

#[tokio::test]
async fn telemetry_is_set_up_once() {
    let config =
        TelemetryConfig { log: "info".into(), log_format: LogFormat::Json, otlp_endpoint: None, trace_ratio: 1.0, metrics_listen: None };
    let guard = init("test", &config).await.expect("sets up");
    assert!(tracing::info_span!("traced").in_scope(current_traceparent).is_some());
    assert!(init("test", &config).await.is_err());
    drop(guard);
}
