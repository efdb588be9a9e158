//! ProfileService.

use std::sync::Arc;

use jiff::civil::Date;
use steward_kit::error::Violations;
use steward_kit::ids::CustomerId;
use steward_kit::paging::Query;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{decode, mutation, received};
use crate::app::{App, NewAttribute, NewKeyDate, NewUsage};
use crate::contract::Code;
use crate::domain::profile::{Attribute, KeyDate};
use crate::store::profiles::HeldTag;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Profiles(pub(super) Arc<App>);

mutation::mutations! {
    "SetCustomerAttribute": SetCustomerAttributeRequest -> SetCustomerAttributeResponse { attribute: Attribute = attribute },
    "SetKeyDate": SetKeyDateRequest -> SetKeyDateResponse { key_date: KeyDate = key_date },
}

impl mutation::Mutation for pb::DeleteKeyDateRequest {
    type Resource = ();
    type Answer = pb::DeleteKeyDateResponse;

    const METHOD: &'static str = "DeleteKeyDate";

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn answer((): &()) -> Self::Answer {
        pb::DeleteKeyDateResponse {}
    }
}

impl mutation::Mutation for pb::RecordServiceUsageRequest {
    type Resource = Date;
    type Answer = pb::RecordServiceUsageResponse;

    const METHOD: &'static str = "RecordServiceUsage";

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn answer(date: &Date) -> Self::Answer {
        pb::RecordServiceUsageResponse { use_date: to_date(*date) }
    }
}

#[tonic::async_trait]
impl pb::profile_service_server::ProfileService for Profiles {
    async fn set_customer_attribute(
        &self,
        request: Request<pb::SetCustomerAttributeRequest>,
    ) -> Result<Response<pb::SetCustomerAttributeResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let customer_id = decode::id(&mut bad, "customer_id", &request.customer_id);
        let kind = decode::required(&mut bad, "kind", request.kind);
        let consent_id = uuid(&mut bad, "consent_id", &request.consent_id);
        let new = bad.build(|| {
            let (value, source) = (request.value.clone(), request.source.clone());
            Some(NewAttribute { customer_id: customer_id?, kind: kind?, value, source, consent_id })
        })?;
        Ok(Response::new(self.0.set_customer_attribute(&mutation::call(&access, &request)?, new).await?))
    }

    async fn list_customer_attributes(
        &self,
        request: Request<pb::ListCustomerAttributesRequest>,
    ) -> Result<Response<pb::ListCustomerAttributesResponse>, Status> {
        let (access, mut request) = received(request)?;
        let customer = decode::only_id(&request, "customer_id", &request.customer_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListCustomerAttributes", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_customer_attributes(&access, customer, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |attribute| attribute.kind.as_str().to_owned())?;
        let attributes = page.rows.iter().map(attribute).collect();
        Ok(Response::new(pb::ListCustomerAttributesResponse { attributes, next_page_token: page.next_page_token }))
    }

    async fn set_key_date(&self, request: Request<pb::SetKeyDateRequest>) -> Result<Response<pb::SetKeyDateResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let customer_id = decode::id(&mut bad, "customer_id", &request.customer_id);
        let kind = decode::required(&mut bad, "kind", request.kind);
        let date = decode::date(&mut bad, "occur_date", &request.occur_date);
        let unit_id = decode::optional_id(&mut bad, "unit_id", &request.unit_id);
        let consent_id = uuid(&mut bad, "consent_id", &request.consent_id);
        let new = bad.build(|| {
            let (is_lunar, source) = (request.is_lunar, request.source.clone());
            Some(NewKeyDate { customer_id: customer_id?, kind: kind?, date: date?, is_lunar, unit_id, source, consent_id })
        })?;
        Ok(Response::new(self.0.set_key_date(&mutation::call(&access, &request)?, new).await?))
    }

    async fn delete_key_date(&self, request: Request<pb::DeleteKeyDateRequest>) -> Result<Response<pb::DeleteKeyDateResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let customer = decode::id(&mut bad, "customer_id", &request.customer_id);
        let id = decode::id(&mut bad, "key_date_id", &request.key_date_id);
        let (customer, id) = bad.build(|| customer.zip(id))?;
        Ok(Response::new(self.0.delete_key_date(&mutation::call(&access, &request)?, customer, id).await?))
    }

    async fn list_key_dates(&self, request: Request<pb::ListKeyDatesRequest>) -> Result<Response<pb::ListKeyDatesResponse>, Status> {
        let (access, mut request) = received(request)?;
        let customer = decode::only_id(&request, "customer_id", &request.customer_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListKeyDates", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_key_dates(&access, customer, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |date| date.id.as_uuid())?;
        let key_dates = page.rows.iter().map(key_date).collect();
        Ok(Response::new(pb::ListKeyDatesResponse { key_dates, next_page_token: page.next_page_token }))
    }

    async fn record_service_usage(
        &self,
        request: Request<pb::RecordServiceUsageRequest>,
    ) -> Result<Response<pb::RecordServiceUsageResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let unit_id = decode::id(&mut bad, "unit_id", &request.unit_id);
        let customer_id = decode::optional_id::<CustomerId>(&mut bad, "customer_id", &request.customer_id);
        let use_time = bad.timestamp("use_time", request.use_time.as_ref());
        code(&mut bad, "service_code", &request.service_code);
        let new = bad.build(|| {
            let (service_code, use_count) = (request.service_code.clone(), request.use_count);
            Some(NewUsage { unit_id: unit_id?, customer_id, service_code, use_count, use_time: use_time? })
        })?;
        Ok(Response::new(self.0.record_service_usage(&mutation::call(&access, &request)?, new).await?))
    }

    async fn list_customer_tags(
        &self,
        request: Request<pb::ListCustomerTagsRequest>,
    ) -> Result<Response<pb::ListCustomerTagsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let customer = decode::only_id(&request, "customer_id", &request.customer_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListCustomerTags", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_customer_tags(&access, customer, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |tag: &HeldTag| (tag.code.clone(), tag.household_id))?;
        let tags = page.rows.iter().map(held_tag).collect();
        Ok(Response::new(pb::ListCustomerTagsResponse { tags, next_page_token: page.next_page_token }))
    }
}

/// A code of small letters, digits and `_`.
pub(super) fn code(bad: &mut Violations, field: &str, text: &str) {
    let plain = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !plain {
        bad.add(field, "string.pattern", "must begin with a small letter and have only small letters, digits and `_`");
    }
}

fn uuid(bad: &mut Violations, field: &str, text: &str) -> Option<Uuid> {
    // Whose id it is, notification knows; here it is only kept.
    decode::optional_id::<steward_kit::ids::EventId>(bad, field, text).map(steward_kit::ids::EventId::as_uuid)
}

fn attribute(attribute: &Attribute) -> pb::CustomerAttribute {
    pb::CustomerAttribute {
        customer_id: attribute.customer_id.to_string(),
        kind: attribute.kind.number(),
        value: attribute.value.clone(),
        source: attribute.source.clone(),
        consent_id: attribute.consent_id.map(|id| id.to_string()).unwrap_or_default(),
        record_time: Some(to_timestamp(attribute.record_time)),
    }
}

fn key_date(date: &KeyDate) -> pb::KeyDate {
    let masked_date = match date.kind.is_personal() {
        true => format!("****-{:02}-{:02}", date.date.month(), date.date.day()),
        false => to_date(date.date),
    };
    pb::KeyDate {
        id: date.id.to_string(),
        customer_id: date.customer_id.to_string(),
        kind: date.kind.number(),
        unit_id: date.unit_id.map(|id| id.to_string()).unwrap_or_default(),
        masked_date,
        is_lunar: date.is_lunar,
        next_date: date.next_date.map(to_date).unwrap_or_default(),
        consent_id: date.consent_id.map(|id| id.to_string()).unwrap_or_default(),
        etag: date.row_version.to_string(),
        create_time: Some(to_timestamp(date.create_time)),
    }
}

fn held_tag(tag: &HeldTag) -> pb::CustomerTag {
    let word = |reason: &serde_json::Value, name: &str| reason[name].as_str().unwrap_or_default().to_owned();
    let reasons = tag.reasons.as_array().into_iter().flatten().map(|reason| common::ConditionFinding {
        path: word(reason, "path"),
        field: word(reason, "field"),
        operator: common::Operator::from_str_name(&word(reason, "operator")).unwrap_or_default().into(),
        truth: common::Truth::from_str_name(&word(reason, "truth")).unwrap_or_default().into(),
        fact: word(reason, "fact"),
    });
    pb::CustomerTag {
        code: tag.code.clone(),
        name_zh: tag.name_zh.clone(),
        name_en: tag.name_en.clone(),
        household_id: tag.household_id.to_string(),
        version: tag.version,
        set_time: Some(to_timestamp(tag.set_time.to_jiff())),
        reasons: reasons.collect(),
    }
}
