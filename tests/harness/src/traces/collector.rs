//! A collector for OTLP over gRPC: keeps what it is sent.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    resource::v1::Resource,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use super::span::{Span, value_text};
use crate::in_process::Host;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Collector {
    url: String,
    kept: Arc<Kept>,
    _stop: DropGuard,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    metrics: Mutex<Vec<String>>,
}

impl Collector {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        let listener = Host::listener().await?;
        let url = format!("http://{}", listener.local_addr()?);
        let kept = Arc::new(Kept::default());
        let stop = CancellationToken::new();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::from_arc(kept.clone()))
            .add_service(MetricsServiceServer::from_arc(kept.clone()))
            .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.clone().cancelled_owned());
        #[expect(clippy::disallowed_methods, reason = "ends with the collector; a sender that is cut off sends to nobody")]
        tokio::spawn(server);
        Ok(Self { url, kept, _stop: stop.drop_guard() })
    }

    /// What processes are told as their collector.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every span that came so far.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names of the metrics that came so far.
    pub fn metrics(&self) -> Vec<String> {
        self.kept.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for group in request.into_inner().resource_spans {
            let service = service_of(group.resource);
            let received = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(received.map(|span| Span::of(&service, span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Kept {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = request.into_inner().resource_metrics.into_iter().flat_map(|group| group.scope_metrics);
        metrics.extend(groups.flat_map(|scope| scope.metrics).map(|metric| metric.name));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn service_of(resource: Option<Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
    name.and_then(|attribute| attribute.value).map(value_text).unwrap_or_default()
}
