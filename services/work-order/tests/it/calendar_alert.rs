//! A year that is not announced is seen on the metrics page, where a rule watches it.

use std::net::SocketAddr;

use jiff::SignedDuration;
use steward_kit::config::TelemetryConfig;
use steward_kit::telemetry::{self, LogFormat};
use steward_proto::work_order::v1 as pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::calendars::YEAR_2027;
use crate::world::{World, eventually, request_id};

/// XC-20: next year is missing until it is loaded; this year never is.
#[tokio::test]
async fn a_year_not_announced_is_alerted_until_it_is_loaded() {
    let page = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = TelemetryConfig {
        log: "warn".to_owned(),
        log_format: LogFormat::Pretty,
        otlp_endpoint: None,
        trace_ratio: 0.0,
        metrics_listen: Some(page),
    };
    // It hides what panics say; a test's say why it failed.
    let hook = std::panic::take_hook();
    let _telemetry = telemetry::init("work-order", &config).await.unwrap();
    std::panic::set_hook(hook);

    let world = World::without_plans().await;
    let missing = |year: &'static str| async move { eventually("the gauge", || gauge(page, year)).await };
    assert_eq!((missing("this").await.as_str(), missing("next").await.as_str()), ("0", "1"));

    let load = pb::LoadCalendarYearRequest { request_id: request_id(), document_json: YEAR_2027.to_owned() };
    world.calendars().load_calendar_year(world.operations().asks(load)).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(25));
    eventually("the all-clear", || async { gauge(page, "next").await.filter(|value| value == "0") }).await;
}

/// What the page says of a year; nothing before the job has looked.
async fn gauge(page: SocketAddr, year: &str) -> Option<String> {
    let mut stream = TcpStream::connect(page).await.ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    let label = format!("year=\"{year}\"");
    let line = text.lines().find(|line| line.starts_with("steward_work_order_calendar_year_missing{") && line.contains(&label))?;
    line.rsplit(' ').next().map(str::to_owned)
}
