use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use steward_proto::work_order::v1::calendar_service_client::CalendarServiceClient;
use steward_proto::work_order::v1::calendar_service_server::{CalendarService, CalendarServiceServer};
use steward_proto::work_order::v1::{
    ListCalendarYearsRequest, ListCalendarYearsResponse, ListWorkingHoursRequest, ListWorkingHoursResponse, LoadCalendarYearRequest,
    LoadCalendarYearResponse, LoadWorkingHoursRequest, LoadWorkingHoursResponse,
};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Health;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::*;
use crate::auth::TestIssuer;
use crate::auth::{Access, TokenSource};
use crate::client::{Identity, Peer};
use crate::clock::Clock;

/// A real service of the contract: a list waits for tenths of a second as its page size says; a load panics.
#[derive(Clone)]
struct Calendars;

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn load_calendar_year(&self, _: Request<LoadCalendarYearRequest>) -> Result<Response<LoadCalendarYearResponse>, Status> {
        panic!("the text of a panic: 13812345678")
    }

    async fn list_calendar_years(&self, request: Request<ListCalendarYearsRequest>) -> Result<Response<ListCalendarYearsResponse>, Status> {
        Access::of(&request)?;
        let wait = Duration::from_millis(100 * request.get_ref().page_size.unsigned_abs() as u64);
        tokio::time::sleep(wait).await;
        let mut answer = Response::new(ListCalendarYearsResponse::default());
        if let Some(traceparent) = crate::telemetry::current_traceparent() {
            answer.metadata_mut().insert("traceparent", traceparent.parse().expect("is ASCII"));
        }
        Ok(answer)
    }

    async fn load_working_hours(&self, _: Request<LoadWorkingHoursRequest>) -> Result<Response<LoadWorkingHoursResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn list_working_hours(&self, _: Request<ListWorkingHoursRequest>) -> Result<Response<ListWorkingHoursResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

struct Running {
    url: String,
    shutdown: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    issuer: TestIssuer,
}

async fn start(change: impl FnOnce(&mut ServerConfig)) -> Running {
    let issuer = TestIssuer::start().await;
    let verifier = Arc::new(TokenVerifier::new(issuer.trusted(), "steward", Clock::system()).expect("a verifier"));
    let mut config = ServerConfig::development();
    change(&mut config);
    let listener = TcpListener::bind(config.listen).await.expect("listens");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let shutdown = CancellationToken::new();
    let server = Server::new(&config, verifier, Arc::new(Roles::built_in())).add_service(CalendarServiceServer::new(Calendars));
    let server = tokio::spawn(server.serve(listener, shutdown.clone()));
    Running { url, shutdown, server, issuer }
}

impl Running {
    fn client(&self, roles: &[&str]) -> CalendarServiceClient<Peer> {
        let file = std::env::temp_dir().join(format!("steward-kit-server-{}", uuid::Uuid::now_v7()));
        std::fs::write(&file, self.issuer.token(json!({ "roles": roles }))).expect("writes");
        let peer = Peer::connect(&self.url, Duration::from_secs(30), &Identity::plain(Some(TokenSource::file(file))));
        CalendarServiceClient::new(peer.expect("a peer"))
    }
}

/// A request that takes so many tenths of a second.
fn request(tenths: i32) -> ListCalendarYearsRequest {
    ListCalendarYearsRequest { page_size: tenths, ..Default::default() }
}

#[tokio::test]
async fn the_stack_answers_who_may_ask_and_names_the_request() {
    let running = start(|_| {}).await;
    let answer = running.client(&["auditor"]).list_calendar_years(ListCalendarYearsRequest::default()).await.expect("answers");
    assert!(answer.metadata().get("x-request-id").is_some_and(|id| id.to_str().is_ok_and(|id| id.len() == 36)));
    let refusal = running.client(&["technician"]).list_calendar_years(ListCalendarYearsRequest::default()).await.expect_err("refused");
    assert_eq!(refusal.code(), Code::PermissionDenied);
    let info = refusal.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.metadata["permission"], "calendar.read");
}

#[tokio::test]
async fn a_trace_goes_from_the_caller_into_the_handler() {
    use opentelemetry::trace::TracerProvider;
    use tracing::Instrument;
    use tracing_subscriber::layer::SubscriberExt;
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let running = start(|_| {}).await;
    let mut client = running.client(&["auditor"]);
    let span = tracing::info_span!("caller");
    let ours = span.in_scope(crate::telemetry::current_traceparent).expect("is traced");
    let answer = client.list_calendar_years(request(0)).instrument(span).await.expect("answers");
    let seen = answer.metadata().get("traceparent").and_then(|value| value.to_str().ok()).expect("is traced");
    assert_eq!(seen[..35], ours[..35], "one trace");
    assert_ne!(seen[36..52], ours[36..52], "another span");
}

/// XC-51
#[tokio::test]
async fn a_panic_is_one_failed_request_and_tells_nothing() {
    let running = start(|_| {}).await;
    let mut client = running.client(&["operator"]);
    let refusal = client.load_calendar_year(LoadCalendarYearRequest::default()).await.expect_err("fails");
    assert_eq!(refusal.code(), Code::Internal);
    assert!(!refusal.message().contains("138"));
    let id = refusal.get_details_request_info().expect("a RequestInfo").request_id;
    assert_eq!(refusal.metadata().get("x-request-id").and_then(|id| id.to_str().ok()), Some(id.as_str()));
    client.list_calendar_years(ListCalendarYearsRequest::default()).await.expect("the server lives on");
}

#[tokio::test]
async fn more_than_the_most_is_refused_and_probes_are_not() {
    let running = start(|config| config.max_concurrent_requests = 1).await;
    let mut slow = running.client(&["auditor"]);
    let waiting = tokio::spawn(async move { slow.list_calendar_years(request(20)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refusal = running.client(&["auditor"]).list_calendar_years(request(1)).await.expect_err("refused");
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    assert!(refusal.get_details_retry_info().is_some());
    assert_eq!(health(&running.url, "").await, Ok(Health::Serving));
    waiting.await.expect("no panic").expect("the first one is served");
}

#[tokio::test]
async fn health_is_told_for_the_server_and_each_service() {
    let running = start(|_| {}).await;
    assert_eq!(health(&running.url, "").await, Ok(Health::Serving));
    assert_eq!(health(&running.url, "steward.work_order.v1.CalendarService").await, Ok(Health::Serving));
    assert_eq!(health(&running.url, "steward.work_order.v1.Nothing").await, Err(Code::NotFound));
}

async fn health(url: &str, service: &str) -> Result<Health, Code> {
    let mut client = HealthClient::new(Peer::connect(url, Duration::from_secs(5), &Identity::plain(None)).expect("a peer"));
    let answer = client.check(HealthCheckRequest { service: service.to_owned() }).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn a_shutdown_lets_work_end_and_says_so_first() {
    let running = start(|config| config.drain_notice_ms = 400).await;
    let mut slow = running.client(&["auditor"]);
    let work = tokio::spawn(async move { slow.list_calendar_years(request(8)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(health(&running.url, "").await, Ok(Health::NotServing), "still reachable, no longer wanted");
    work.await.expect("no panic").expect("work at hand was finished");
    tokio::time::timeout(Duration::from_secs(2), running.server).await.expect("ends").expect("no panic").expect("no error");
}

#[tokio::test]
async fn the_drain_deadline_is_hard() {
    let running = start(|config| config.drain_deadline_ms = 300).await;
    let mut slow = running.client(&["auditor"]);
    let work = tokio::spawn(async move { slow.list_calendar_years(request(200)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    running.shutdown.cancel();
    running.server.await.expect("no panic").expect("no error");
    assert!((300..1500).contains(&start.elapsed().as_millis()), "took {:?}", start.elapsed());
    work.abort();
}

#[tokio::test]
async fn a_service_outside_the_contract_does_not_start() {
    let issuer = TestIssuer::start().await;
    let verifier = Arc::new(TokenVerifier::new(issuer.trusted(), "steward", Clock::system()).expect("a verifier"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::new(&ServerConfig::development(), verifier, Arc::new(Roles::built_in())).add_service(health);
    let error = server.serve(listener, CancellationToken::new()).await.expect_err("refused");
    assert_eq!(error.to_string(), "no access rule for: grpc.health.v1.Health");
}
