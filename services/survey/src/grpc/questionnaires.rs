//! The RPCs of `QuestionnaireService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::questionnaire_service_server::QuestionnaireService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, encode};
use crate::app::App;
use crate::domain::Comparison;
use crate::domain::ids::QuestionnaireId;
use crate::store::questionnaires::{CodeKey, list_questionnaires, list_versions, load_questionnaire, load_version};

/// The service.
pub(crate) struct Questionnaires {
    app: Arc<App>,
    pages: PageTokens,
}

impl Questionnaires {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl QuestionnaireService for Questionnaires {
    async fn create_questionnaire(&self, request: Request<pb::CreateQuestionnaireRequest>) -> Answer<pb::CreateQuestionnaireResponse> {
        let (access, request) = received(request)?;
        Violations::of(&request).finish()?;
        let call = call(&access, "CreateQuestionnaire", &request, &request.request_id)?;
        let draft = request.draft.unwrap_or_default();
        let answer = |made: &_| pb::CreateQuestionnaireResponse { questionnaire: Some(encode::questionnaire(made)) };
        Ok(Response::new(self.app.create_questionnaire(&call, request.code, &draft, answer).await?))
    }

    async fn update_questionnaire(&self, request: Request<pb::UpdateQuestionnaireRequest>) -> Answer<pb::UpdateQuestionnaireResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "UpdateQuestionnaire", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "questionnaire_id", &request.questionnaire_id, &request.etag);
        let target = bad.build(|| target)?;
        let draft = request.draft.unwrap_or_default();
        let answer = |changed: &_| pb::UpdateQuestionnaireResponse { questionnaire: Some(encode::questionnaire(changed)) };
        Ok(Response::new(self.app.update_questionnaire(&call, target, &draft, answer).await?))
    }

    async fn check_questionnaire(&self, request: Request<pb::CheckQuestionnaireRequest>) -> Answer<pb::CheckQuestionnaireResponse> {
        let (_, request) = received(request)?;
        Violations::of(&request).finish()?;
        let faults = App::check_questionnaire(&request.content.unwrap_or_default(), request.min_dimensions)?;
        let fault = |fault: crate::domain::Fault| pb::QuestionnaireFault {
            place: fault.place,
            code: fault.code.to_owned(),
            detail: fault.description,
        };
        Ok(Response::new(pb::CheckQuestionnaireResponse { faults: faults.into_iter().map(fault).collect() }))
    }

    async fn publish_questionnaire_version(
        &self,
        request: Request<pb::PublishQuestionnaireVersionRequest>,
    ) -> Answer<pb::PublishQuestionnaireVersionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PublishQuestionnaireVersion", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "questionnaire_id", &request.questionnaire_id, &request.etag);
        let mut comparisons = Vec::with_capacity(request.comparisons.len());
        for (at, comparison) in request.comparisons.iter().enumerate() {
            let earlier = bad.id(&format!("comparisons[{at}].earlier_version_id"), &comparison.earlier_version_id);
            comparisons.extend(earlier.map(|earlier_version_id| Comparison {
                question: comparison.question_code.clone(),
                earlier_version_id,
                earlier_question: comparison.earlier_question_code.clone(),
            }));
        }
        let target = bad.build(|| target)?;
        let answer = |version: &_| pb::PublishQuestionnaireVersionResponse { questionnaire_version: Some(encode::version(version)) };
        Ok(Response::new(self.app.publish_questionnaire(&call, target, comparisons, answer).await?))
    }

    async fn get_questionnaire(&self, request: Request<pb::GetQuestionnaireRequest>) -> Answer<pb::GetQuestionnaireResponse> {
        let (_, request) = received(request)?;
        let id = id(&request, "questionnaire_id", &request.questionnaire_id)?;
        let questionnaire = load_questionnaire(self.app.db.pool(), id).await?;
        Ok(Response::new(pb::GetQuestionnaireResponse { questionnaire: Some(encode::questionnaire(&questionnaire)) }))
    }

    async fn list_questionnaires(&self, request: Request<pb::ListQuestionnairesRequest>) -> Answer<pb::ListQuestionnairesResponse> {
        let (_, mut request) = received(request)?;
        Violations::of(&request).finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListQuestionnaires", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_questionnaires(self.app.db.pool(), &page).await?;
        let page = self.pages.page(&query, page.size, rows, |row| CodeKey(row.code.clone()))?;
        let questionnaires = page.rows.iter().map(encode::questionnaire).collect();
        Ok(Response::new(pb::ListQuestionnairesResponse { questionnaires, next_page_token: page.next_page_token }))
    }

    async fn get_questionnaire_version(
        &self,
        request: Request<pb::GetQuestionnaireVersionRequest>,
    ) -> Answer<pb::GetQuestionnaireVersionResponse> {
        let (_, request) = received(request)?;
        let id = id(&request, "questionnaire_version_id", &request.questionnaire_version_id)?;
        let version = load_version(self.app.db.pool(), id).await?;
        Ok(Response::new(pb::GetQuestionnaireVersionResponse { questionnaire_version: Some(encode::version(&version)) }))
    }

    async fn list_questionnaire_versions(
        &self,
        request: Request<pb::ListQuestionnaireVersionsRequest>,
    ) -> Answer<pb::ListQuestionnaireVersionsResponse> {
        let (_, mut request) = received(request)?;
        let of: QuestionnaireId = id(&request, "questionnaire_id", &request.questionnaire_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListQuestionnaireVersions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_versions(self.app.db.pool(), of, &page).await?;
        if rows.is_empty() && page.after.is_none() {
            load_questionnaire(self.app.db.pool(), of).await?;
        }
        let page = self.pages.page(&query, page.size, rows, |row| row.version)?;
        let questionnaire_versions = page.rows.iter().map(encode::version).collect();
        Ok(Response::new(pb::ListQuestionnaireVersionsResponse { questionnaire_versions, next_page_token: page.next_page_token }))
    }
}
