//! EstateImportService.

use std::sync::Arc;

use futures::stream::BoxStream;
use steward_kit::Error;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{decode, encode, mutation, received, watch};
use crate::app::App;
use crate::contract::Code;
use crate::domain::estate_import::{EstateImport, ImportRow};
use crate::store::imports::ImportCursor;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct EstateImports {
    app: Arc<App>,
    shutdown: CancellationToken,
}

impl EstateImports {
    pub(super) fn new(app: &Arc<App>, shutdown: &CancellationToken) -> Self {
        Self { app: Arc::clone(app), shutdown: shutdown.clone() }
    }
}

#[tonic::async_trait]
impl pb::estate_import_service_server::EstateImportService for EstateImports {
    type WatchEstateImportStream = BoxStream<'static, Result<pb::WatchEstateImportResponse, Status>>;

    async fn create_estate_import(
        &self,
        request: Request<pb::CreateEstateImportRequest>,
    ) -> Result<Response<pb::CreateEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode::create_estate_import(&request)?;
        Ok(Response::new(self.app.create_estate_import(&mutation::call(&access, &request)?, new).await?))
    }

    async fn upload_estate_import(
        &self,
        request: Request<Streaming<pb::UploadEstateImportRequest>>,
    ) -> Result<Response<pb::UploadEstateImportResponse>, Status> {
        let access = Access::of(&request)?.clone();
        let mut parts = request.into_inner();
        let mut last: Option<EstateImport> = None;
        while let Some(part) = parts.message().await? {
            let part = decode::upload_estate_import(&part)?;
            if last.as_ref().is_some_and(|import| import.id != part.import_id) {
                return Err(Error::invalid("import_id", "same", "must be the same in every part of a stream").into());
            }
            last = Some(self.app.take_file_part(&access, part).await?);
        }
        let import = last.ok_or_else(|| Error::invalid("data", "required", "the stream has no part"))?;
        Ok(Response::new(pb::UploadEstateImportResponse { import: Some(encode::estate_import(&import)) }))
    }

    async fn append_estate_import(
        &self,
        request: Request<pb::AppendEstateImportRequest>,
    ) -> Result<Response<pb::AppendEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let part = decode::append_estate_import(&request)?;
        Ok(Response::new(self.app.append_estate_import(&mutation::call(&access, &request)?, part).await?))
    }

    async fn get_estate_import(
        &self,
        request: Request<pb::GetEstateImportRequest>,
    ) -> Result<Response<pb::GetEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "import_id", &request.import_id)?;
        let import = self.app.get_estate_import(&access, id).await?;
        Ok(Response::new(pb::GetEstateImportResponse { import: Some(encode::estate_import(&import)) }))
    }

    async fn list_estate_imports(
        &self,
        request: Request<pb::ListEstateImportsRequest>,
    ) -> Result<Response<pb::ListEstateImportsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let state = Code::of_number(request.state);
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListEstateImports", &request);
        let page = self.app.pages.request(&query, size, &token)?;
        let found = self.app.list_estate_imports(&access, estate, state, &page).await?;
        let page = self.app.pages.page(&query, page.size, found, |import: &EstateImport| ImportCursor(import.id.as_uuid()))?;
        let imports = page.rows.iter().map(encode::estate_import).collect();
        Ok(Response::new(pb::ListEstateImportsResponse { imports, next_page_token: page.next_page_token }))
    }

    async fn list_estate_import_rows(
        &self,
        request: Request<pb::ListEstateImportRowsRequest>,
    ) -> Result<Response<pb::ListEstateImportRowsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let id = decode::only_id(&request, "import_id", &request.import_id)?;
        let action = Code::of_number(request.action);
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListEstateImportRows", &request);
        let page = self.app.pages.request(&query, size, &token)?;
        let found = self.app.list_estate_import_rows(&access, id, action, &page).await?;
        let page = self.app.pages.page(&query, page.size, found, |row: &ImportRow| row.line)?;
        let rows = page.rows.iter().map(encode::import_row).collect();
        Ok(Response::new(pb::ListEstateImportRowsResponse { rows, next_page_token: page.next_page_token }))
    }

    async fn apply_estate_import(
        &self,
        request: Request<pb::ApplyEstateImportRequest>,
    ) -> Result<Response<pb::ApplyEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let target = decode::import_target(&request, &request.import_id, &request.etag)?;
        Ok(Response::new(self.app.apply_estate_import(&mutation::call(&access, &request)?, target).await?))
    }

    async fn cancel_estate_import(
        &self,
        request: Request<pb::CancelEstateImportRequest>,
    ) -> Result<Response<pb::CancelEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let target = decode::import_target(&request, &request.import_id, &request.etag)?;
        Ok(Response::new(self.app.cancel_estate_import(&mutation::call(&access, &request)?, target).await?))
    }

    async fn pause_estate_import(
        &self,
        request: Request<pb::PauseEstateImportRequest>,
    ) -> Result<Response<pb::PauseEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let target = decode::import_target(&request, &request.import_id, &request.etag)?;
        Ok(Response::new(self.app.pause_estate_import(&mutation::call(&access, &request)?, target).await?))
    }

    async fn resume_estate_import(
        &self,
        request: Request<pb::ResumeEstateImportRequest>,
    ) -> Result<Response<pb::ResumeEstateImportResponse>, Status> {
        let (access, request) = received(request)?;
        let target = decode::import_target(&request, &request.import_id, &request.etag)?;
        Ok(Response::new(self.app.resume_estate_import(&mutation::call(&access, &request)?, target).await?))
    }

    async fn watch_estate_import(
        &self,
        request: Request<pb::WatchEstateImportRequest>,
    ) -> Result<Response<Self::WatchEstateImportStream>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "import_id", &request.import_id)?;
        let first = self.app.get_estate_import(&access, id).await?;
        Ok(Response::new(watch::import(Arc::clone(&self.app), access, first, self.shutdown.clone())))
    }
}
