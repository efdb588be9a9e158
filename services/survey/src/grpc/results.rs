//! The RPCs of `ResultService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::result_service_server::ResultService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, figures};
use crate::app::App;
use crate::domain::Wave;
use crate::domain::ids::WaveId;
use crate::store::records::{RecordKey, list_published};

/// The service.
pub(crate) struct Results {
    app: Arc<App>,
    pages: PageTokens,
}

impl Results {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ResultService for Results {
    async fn get_wave_results(&self, request: Request<pb::GetWaveResultsRequest>) -> Answer<pb::GetWaveResultsResponse> {
        let (access, request) = received(request)?;
        let (view, computed, terms) = self.app.wave_results(&access, id(&request, "wave_id", &request.wave_id)?).await?;
        let results = figures::results(&view, &computed, &terms, self.app.clock.now());
        Ok(Response::new(pb::GetWaveResultsResponse { results: Some(results) }))
    }

    async fn compare_waves(&self, request: Request<pb::CompareWavesRequest>) -> Answer<pb::CompareWavesResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let wave: Option<WaveId> = bad.id("wave_id", &request.wave_id);
        let baseline = bad.optional_id("baseline_wave_id", &request.baseline_wave_id);
        let wave = bad.build(|| wave)?;
        let compared = self.app.compare_waves(&access, wave, baseline).await?;
        Ok(Response::new(pb::CompareWavesResponse { comparison: Some(figures::comparison(&compared)) }))
    }

    async fn publish_wave_results(&self, request: Request<pb::PublishWaveResultsRequest>) -> Answer<pb::PublishWaveResultsResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PublishWaveResults", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "wave_id", &request.wave_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |wave: &Wave| pb::PublishWaveResultsResponse { result_page: figures::page(wave) };
        Ok(Response::new(self.app.publish_results(&call, target, request.statement.clone(), answer).await?))
    }

    async fn list_result_pages(&self, request: Request<pb::ListResultPagesRequest>) -> Answer<pb::ListResultPagesResponse> {
        let (access, mut request) = received(request)?;
        let estate = access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListResultPages", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_published(self.app.db.pool(), self.app.cipher(), estate, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let result_pages = page.rows.iter().filter_map(figures::page).collect();
        Ok(Response::new(pb::ListResultPagesResponse { result_pages, next_page_token: page.next_page_token }))
    }
}
