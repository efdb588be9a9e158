//! The RPCs of `ReportService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::report_service_server::ReportService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, encode};
use crate::app::App;
use crate::contract::Code;
use crate::domain::Report;
use crate::domain::codes::ReportKind;
use crate::domain::ids::ReportId;
use crate::store::records::{RecordKey, list_reports};

/// The service.
pub(crate) struct Reports {
    app: Arc<App>,
    pages: PageTokens,
}

impl Reports {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_report(&self, request: Request<pb::GetReportRequest>) -> Answer<pb::GetReportResponse> {
        let (access, request) = received(request)?;
        let id: ReportId = id(&request, "report_id", &request.report_id)?;
        let report: Report = self.app.load(&access, id).await?;
        Ok(Response::new(pb::GetReportResponse { report: Some(encode::report(&report, self.app.clock.now())) }))
    }

    async fn list_reports(&self, request: Request<pb::ListReportsRequest>) -> Answer<pb::ListReportsResponse> {
        let (access, mut request) = received(request)?;
        let estate = access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListReports", &request);
        let page = self.pages.request(&query, size, &token)?;
        let kind = ReportKind::of_number(request.kind);
        let rows = list_reports(self.app.db.pool(), self.app.cipher(), estate, kind, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let now = self.app.clock.now();
        let reports = page.rows.iter().map(|report| encode::report(report, now)).collect();
        Ok(Response::new(pb::ListReportsResponse { reports, next_page_token: page.next_page_token }))
    }

    async fn submit_report(&self, request: Request<pb::SubmitReportRequest>) -> Answer<pb::SubmitReportResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SubmitReport", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "report_id", &request.report_id, &request.etag);
        let target = bad.build(|| target)?;
        let now = self.app.clock.now();
        let answer = |changed: &Report| pb::SubmitReportResponse { report: Some(encode::report(changed, now)) };
        Ok(Response::new(self.app.submit_report(&call, target, &request.document_ref, answer).await?))
    }
}
