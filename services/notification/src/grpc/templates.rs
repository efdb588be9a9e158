//! The RPCs of `TemplateService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::template_service_server::TemplateService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, given, language, received, target};
use crate::app::{App, NewTemplate};
use crate::contract::{Code, required};
use crate::domain::template::{TemplateText, TemplateVersion, Variable};
use crate::store::templates::{TemplateKey, list_versions};

/// The service.
pub(crate) struct Templates {
    app: Arc<App>,
    pages: PageTokens,
}

impl Templates {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl TemplateService for Templates {
    async fn create_template_version(
        &self,
        request: Request<pb::CreateTemplateVersionRequest>,
    ) -> Answer<pb::CreateTemplateVersionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateTemplateVersion", &request, &request.request_id)?;
        let new = new_template(&request)?;
        let answer = |version: &TemplateVersion| pb::CreateTemplateVersionResponse { template_version: Some(encode(version)) };
        Ok(Response::new(self.app.create_template_version(&call, new, answer).await?))
    }

    async fn activate_template_version(
        &self,
        request: Request<pb::ActivateTemplateVersionRequest>,
    ) -> Answer<pb::ActivateTemplateVersionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ActivateTemplateVersion", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "template_version_id", &request.template_version_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |version: &TemplateVersion| pb::ActivateTemplateVersionResponse { template_version: Some(encode(version)) };
        Ok(Response::new(self.app.activate_template_version(&call, target, answer).await?))
    }

    async fn get_template_version(&self, request: Request<pb::GetTemplateVersionRequest>) -> Answer<pb::GetTemplateVersionResponse> {
        let (_, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("template_version_id", &request.template_version_id);
        let version = self.app.template_version(bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetTemplateVersionResponse { template_version: Some(encode(&version)) }))
    }

    async fn list_template_versions(&self, request: Request<pb::ListTemplateVersionsRequest>) -> Answer<pb::ListTemplateVersionsResponse> {
        let (_, mut request) = received(request)?;
        Violations::of(&request).finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListTemplateVersions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let state = Code::of_number(request.state);
        let versions = list_versions(self.app.db.pool(), given(&request.key), state, &page).await?;
        let page = self.pages.page(&query, page.size, versions, TemplateKey::of)?;
        let template_versions = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListTemplateVersionsResponse { template_versions, next_page_token: page.next_page_token }))
    }
}

fn new_template(request: &pb::CreateTemplateVersionRequest) -> Result<NewTemplate> {
    let mut bad = Violations::of(request);
    let class = required(&mut bad, "message_class", request.message_class);
    let mut texts = Vec::new();
    for (at, text) in request.texts.iter().enumerate() {
        let language = language(&mut bad, &format!("texts[{at}].language"), &text.language);
        let channel = required(&mut bad, &format!("texts[{at}].channel"), text.channel);
        if let (Some(language), Some(channel)) = (language, channel) {
            if texts.iter().any(|other: &TemplateText| other.language == language && other.channel == channel) {
                bad.add(format!("texts[{at}]"), "repeated.unique", "there is one text for each language and channel");
            }
            texts.push(TemplateText { language, channel, title: text.title.clone(), body: text.body.clone() });
        }
    }
    let mut variables = Vec::new();
    for (at, variable) in request.variables.iter().enumerate() {
        let kind = required(&mut bad, &format!("variables[{at}].kind"), variable.kind);
        if variables.iter().any(|other: &Variable| other.name == variable.name) {
            bad.add(format!("variables[{at}].name"), "repeated.unique", "a variable is declared once");
        }
        variables.extend(kind.map(|kind| Variable { name: variable.name.clone(), kind, is_required: variable.is_required }));
    }
    bad.build(|| Some(NewTemplate { key: request.key.clone(), class: class?, texts, variables }))
}

fn encode(version: &TemplateVersion) -> pb::TemplateVersion {
    pb::TemplateVersion {
        id: version.id.to_string(),
        key: version.key.clone(),
        version: version.version,
        message_class: version.class.number(),
        state: version.state.number(),
        texts: version.texts.iter().map(encode_text).collect(),
        variables: version.variables.iter().map(encode_variable).collect(),
        author: Some(version.author.wire()),
        approver: version.approver.as_ref().map(steward_kit::auth::Actor::wire),
        etag: version.row_version.to_string(),
        create_time: Some(to_timestamp(version.create_time)),
        activate_time: version.activate_time.map(to_timestamp),
    }
}

fn encode_text(text: &TemplateText) -> pb::TemplateText {
    pb::TemplateText {
        language: text.language.to_string(),
        channel: text.channel.number(),
        title: text.title.clone(),
        body: text.body.clone(),
    }
}

fn encode_variable(variable: &Variable) -> pb::TemplateVariable {
    pb::TemplateVariable { name: variable.name.clone(), kind: variable.kind.number(), is_required: variable.is_required }
}
