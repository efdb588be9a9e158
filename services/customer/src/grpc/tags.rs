//! TagService.

use std::sync::Arc;

use prost::Message as _;
use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_kit::predicate::Compiled;
use steward_kit::proto::to_timestamp;
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{audiences, decode, mutation, profiles, received};
use crate::app::{App, NewTag};
use crate::contract::Code;
use crate::domain::segment::{Tag, TagChange};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Tags(pub(super) Arc<App>);

mutation::mutations! {
    "CreateTag": CreateTagRequest -> CreateTagResponse { tag: Tag = tag },
    "UpdateTag": UpdateTagRequest -> UpdateTagResponse { tag: Tag = tag },
    "RetireTag": RetireTagRequest -> RetireTagResponse { tag: Tag = tag },
}

fn change(bad: &mut Violations, names: (&str, &str), predicate: Option<&common::Predicate>) -> (TagChange, Option<Compiled>) {
    let rule = audiences::predicate(bad, predicate);
    let encoded = predicate.map(prost::Message::encode_to_vec).unwrap_or_default();
    (TagChange { name_zh: names.0.to_owned(), name_en: names.1.to_owned(), predicate: encoded }, rule)
}

#[tonic::async_trait]
impl pb::tag_service_server::TagService for Tags {
    async fn create_tag(&self, request: Request<pb::CreateTagRequest>) -> Result<Response<pb::CreateTagResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        profiles::code(&mut bad, "code", &request.code);
        let (change, rule) = change(&mut bad, (&request.name_zh, &request.name_en), request.predicate.as_ref());
        let new = bad.build(|| Some(NewTag { code: request.code.clone(), change, rule: rule? }))?;
        Ok(Response::new(self.0.create_tag(&mutation::call(&access, &request)?, new).await?))
    }

    async fn update_tag(&self, request: Request<pb::UpdateTagRequest>) -> Result<Response<pb::UpdateTagResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = decode::target(&mut bad, "tag_id", &request.tag_id, &request.etag);
        let (change, rule) = change(&mut bad, (&request.name_zh, &request.name_en), request.predicate.as_ref());
        let (target, rule) = bad.build(|| target.zip(rule))?;
        Ok(Response::new(self.0.change_tag(&mutation::call(&access, &request)?, target, Some((change, rule))).await?))
    }

    async fn retire_tag(&self, request: Request<pb::RetireTagRequest>) -> Result<Response<pb::RetireTagResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = decode::target(&mut bad, "tag_id", &request.tag_id, &request.etag);
        let target = bad.build(|| target)?;
        Ok(Response::new(self.0.change_tag(&mutation::call(&access, &request)?, target, None).await?))
    }

    async fn get_tag(&self, request: Request<pb::GetTagRequest>) -> Result<Response<pb::GetTagResponse>, Status> {
        let (_, request) = received(request)?;
        let id = decode::only_id(&request, "tag_id", &request.tag_id)?;
        Ok(Response::new(pb::GetTagResponse { tag: Some(tag(&self.0.get_tag(id).await?)) }))
    }

    async fn list_tags(&self, request: Request<pb::ListTagsRequest>) -> Result<Response<pb::ListTagsResponse>, Status> {
        let (_, mut request) = received(request)?;
        Violations::of(&request).finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListTags", &request);
        let page = self.0.pages.request::<String>(&query, size, &token)?;
        let found = self.0.list_tags(Code::of_number(request.state), page.after.as_deref(), page.size.limit()).await?;
        let page = self.0.pages.page(&query, page.size, found, |tag: &Tag| tag.code.clone())?;
        let tags = page.rows.iter().map(tag).collect();
        Ok(Response::new(pb::ListTagsResponse { tags, next_page_token: page.next_page_token }))
    }
}

fn tag(tag: &Tag) -> pb::Tag {
    pb::Tag {
        id: tag.id.to_string(),
        code: tag.code.clone(),
        name_zh: tag.name_zh.clone(),
        name_en: tag.name_en.clone(),
        state: tag.state.number(),
        version: tag.version,
        // Written by this service; one that does not decode is shown without its rule.
        predicate: common::Predicate::decode(tag.predicate.as_slice()).ok(),
        etag: tag.row_version.to_string(),
        create_time: Some(to_timestamp(tag.create_time)),
        update_time: Some(to_timestamp(tag.update_time)),
    }
}
