//! The RPCs of `RoutingRuleService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::routing_rule_service_server::RoutingRuleService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, given, received, target};
use crate::app::{App, NewRule};
use crate::contract::{Code, all, required};
use crate::domain::routing::{RoutingRule, RuleDocument, RuleRecipient};
use crate::rule_condition::predicate;
use crate::store::rules::{RuleKey, list_rules};

/// The service.
pub(crate) struct RoutingRules {
    app: Arc<App>,
    pages: PageTokens,
}

impl RoutingRules {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl RoutingRuleService for RoutingRules {
    async fn create_routing_rule(&self, request: Request<pb::CreateRoutingRuleRequest>) -> Answer<pb::CreateRoutingRuleResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateRoutingRule", &request, &request.request_id)?;
        let new = new_rule(request)?;
        let answer = |rule: &RoutingRule| pb::CreateRoutingRuleResponse { routing_rule: Some(encode(rule)) };
        Ok(Response::new(self.app.create_routing_rule(&call, new, answer).await?))
    }

    async fn list_routing_rules(&self, request: Request<pb::ListRoutingRulesRequest>) -> Answer<pb::ListRoutingRulesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id::<EstateId>("estate_id", &request.estate_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListRoutingRules", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rules = list_rules(self.app.db.pool(), &access.scope, given(&request.event_type), estate, &page).await?;
        let page = self.pages.page(&query, page.size, rules, RuleKey::of)?;
        let routing_rules = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListRoutingRulesResponse { routing_rules, next_page_token: page.next_page_token }))
    }

    async fn delete_routing_rule(&self, request: Request<pb::DeleteRoutingRuleRequest>) -> Answer<pb::DeleteRoutingRuleResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "DeleteRoutingRule", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "routing_rule_id", &request.routing_rule_id, &request.etag);
        let target = bad.build(|| target)?;
        Ok(Response::new(self.app.delete_routing_rule(&call, target).await?))
    }
}

fn new_rule(request: pb::CreateRoutingRuleRequest) -> Result<NewRule> {
    let mut bad = Violations::of(&request);
    let estate = bad.optional_id("estate_id", &request.estate_id);
    let channels = all(&mut bad, "channels", &request.channels);
    let mut recipients = Vec::new();
    for (at, recipient) in request.recipients.into_iter().enumerate() {
        let kind = required(&mut bad, &format!("recipients[{at}].kind"), recipient.kind);
        recipients.extend(kind.map(|kind| RuleRecipient { kind, value: recipient.value }));
    }
    bad.finish()?;
    let document = RuleDocument {
        when: None,
        recipients,
        variables: request.variables.into_iter().collect(),
        channels,
        subject_path: request.subject_path,
        subject_kind: request.subject_kind,
        household_path: request.household_path,
        template_path: request.template_path,
        class_path: request.class_path,
        key_paths: request.key_paths,
    };
    Ok(NewRule {
        code: request.code,
        estate,
        event_type: request.event_type,
        template_key: request.template_key,
        when: request.when,
        document,
    })
}

fn encode(rule: &RoutingRule) -> pb::RoutingRule {
    let document = &rule.document;
    let recipients = document.recipients.iter().map(|one| pb::RuleRecipient { kind: one.kind.number(), value: one.value.clone() });
    pb::RoutingRule {
        id: rule.id.to_string(),
        code: rule.code.clone(),
        estate_id: rule.estate_id.map(|id| id.to_string()).unwrap_or_default(),
        event_type: rule.event_type.clone(),
        recipients: recipients.collect(),
        template_key: rule.template_key.clone(),
        variables: document.variables.clone().into_iter().collect(),
        channels: document.channels.iter().map(|channel| channel.number()).collect(),
        subject_path: document.subject_path.clone(),
        subject_kind: document.subject_kind.clone(),
        etag: rule.row_version.to_string(),
        create_time: Some(to_timestamp(rule.create_time)),
        household_path: document.household_path.clone(),
        template_path: document.template_path.clone(),
        class_path: document.class_path.clone(),
        key_paths: document.key_paths.clone(),
        // It was written from one.
        when: document.when.as_ref().and_then(|when| predicate(when).ok()),
    }
}
