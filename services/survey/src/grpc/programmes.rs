//! The RPCs of `ProgrammeService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::programme_service_server::ProgrammeService;
use tonic::{Request, Response};

use super::request::{Mask, call, id, received, target};
use super::{Answer, encode};
use crate::app::{App, NewProgramme, ProgrammeEdit};
use crate::contract::required;
use crate::store::programmes::{list_programmes, load_programme};
use crate::store::questionnaires::CodeKey;

/// The service.
pub(crate) struct Programmes {
    app: Arc<App>,
    pages: PageTokens,
}

impl Programmes {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ProgrammeService for Programmes {
    async fn create_programme(&self, request: Request<pb::CreateProgrammeRequest>) -> Answer<pb::CreateProgrammeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateProgramme", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        let kind = required(&mut bad, "kind", request.kind);
        let cadence = request.cadence.as_ref().and_then(|span| bad.span("cadence", span));
        let questionnaire = bad.id("questionnaire_id", &request.questionnaire_id);
        let new = bad.build(|| {
            Some(NewProgramme {
                code: request.code,
                estate,
                name_zh: request.name_zh,
                name_en: request.name_en,
                kind: kind?,
                cadence,
                questionnaire: questionnaire?,
                requires_improvement_plan: request.requires_improvement_plan,
            })
        })?;
        let answer = |made: &_| pb::CreateProgrammeResponse { programme: Some(encode::programme(made)) };
        Ok(Response::new(self.app.create_programme(&call, new, answer).await?))
    }

    async fn update_programme(&self, request: Request<pb::UpdateProgrammeRequest>) -> Answer<pb::UpdateProgrammeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "UpdateProgramme", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "programme_id", &request.programme_id, &request.etag);
        let known = ["name_zh", "name_en", "questionnaire_id", "requires_improvement_plan"];
        let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &known);
        let questionnaire = if mask.has("questionnaire_id") { bad.id("questionnaire_id", &request.questionnaire_id) } else { None };
        let name_zh = if mask.has("name_zh") { bad.text("name_zh", &request.name_zh) } else { None };
        let edit = ProgrammeEdit {
            name_zh,
            name_en: mask.take("name_en", request.name_en.clone()),
            questionnaire,
            requires_improvement_plan: mask.take("requires_improvement_plan", request.requires_improvement_plan),
        };
        let target = bad.build(|| target)?;
        let answer = |changed: &_| pb::UpdateProgrammeResponse { programme: Some(encode::programme(changed)) };
        Ok(Response::new(self.app.update_programme(&call, target, edit, answer).await?))
    }

    async fn get_programme(&self, request: Request<pb::GetProgrammeRequest>) -> Answer<pb::GetProgrammeResponse> {
        let (access, request) = received(request)?;
        let id = id(&request, "programme_id", &request.programme_id)?;
        let programme = load_programme(self.app.db.pool(), &access.scope, id).await?;
        Ok(Response::new(pb::GetProgrammeResponse { programme: Some(encode::programme(&programme)) }))
    }

    async fn list_programmes(&self, request: Request<pb::ListProgrammesRequest>) -> Answer<pb::ListProgrammesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListProgrammes", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_programmes(self.app.db.pool(), &access.scope, estate, &page).await?;
        let page = self.pages.page(&query, page.size, rows, |row| CodeKey(row.code.clone()))?;
        let programmes = page.rows.iter().map(encode::programme).collect();
        Ok(Response::new(pb::ListProgrammesResponse { programmes, next_page_token: page.next_page_token }))
    }
}
