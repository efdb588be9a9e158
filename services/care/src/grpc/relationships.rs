//! The RPCs of `RelationshipService`.

use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::relationship_service_server::RelationshipService;
use tonic::{Request, Response};

use super::request::{call, page, received, text};
use super::{Answer, Edge};
use crate::app::{NewContact, Quota};
use crate::contract::{Code, required};
use crate::store::contacts::{Contact, ContactKey};

#[tonic::async_trait]
impl RelationshipService for Edge {
    async fn record_contact(&self, request: Request<pb::RecordContactRequest>) -> Answer<pb::RecordContactResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordContact", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, household) = (bad.id("estate_id", &request.estate_id), bad.id("household_id", &request.household_id));
        let customer = bad.optional_id("customer_id", &request.customer_id);
        let way = required(&mut bad, "way", request.way);
        let contact_time = bad.optional_timestamp("contact_time", request.contact_time.as_ref());
        let (purpose, is_two_way, topics) = (request.purpose, request.is_two_way, request.topics);
        let new = bad.build(|| {
            let (estate, household, way) = (estate?, household?, way?);
            Some(NewContact { estate, household, customer, way, purpose, is_two_way, topics, contact_time })
        })?;
        let answer = |contact: &Contact| pb::RecordContactResponse { contact: Some(encode(contact)) };
        Ok(Response::new(self.app.record_contact(&call, new, answer).await?))
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Answer<pb::ListContactsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let household = bad.optional_id("household_id", &request.household_id);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListContacts", request, |page| self.app.list_contacts(&access, estate, household, &page), ContactKey::of);
        let contacts = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListContactsResponse { contacts, next_page_token: page.next_page_token }))
    }

    async fn set_household_date(&self, request: Request<pb::SetHouseholdDateRequest>) -> Answer<pb::SetHouseholdDateResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SetHouseholdDate", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, household) = (bad.id("estate_id", &request.estate_id), bad.id("household_id", &request.household_id));
        let (kind, date) = (required(&mut bad, "kind", request.kind), bad.date("date", &request.date));
        let (estate, household, kind, date) = bad.build(|| Some((estate?, household?, kind?, date?)))?;
        Ok(Response::new(self.app.set_household_date(&call, estate, household, kind, date).await?))
    }

    async fn get_relationship_coverage(
        &self,
        request: Request<pb::GetRelationshipCoverageRequest>,
    ) -> Answer<pb::GetRelationshipCoverageResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let (estate, month) = (bad.id("estate_id", &request.estate_id), bad.date("month_date", &request.month_date));
        let (estate, month) = bad.build(|| Some((estate?, month?)))?;
        let coverage = self.app.relationship_coverage(&access, estate, month).await?;
        Ok(Response::new(pb::GetRelationshipCoverageResponse {
            base_count: coverage.base,
            reached_count: coverage.reached.count,
            target_count: coverage.target,
            reached_by_date: coverage.reached.by_date,
            reached_by_subject: coverage.reached.by_subject,
        }))
    }

    async fn set_officer(&self, request: Request<pb::SetOfficerRequest>) -> Answer<pb::SetOfficerResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SetOfficer", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        Ok(Response::new(self.app.set_officer(&call, estate, &request.subject, &request.position).await?))
    }

    async fn list_face_to_face_quotas(
        &self,
        request: Request<pb::ListFaceToFaceQuotasRequest>,
    ) -> Answer<pb::ListFaceToFaceQuotasResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let (estate, year) = (bad.id("estate_id", &request.estate_id), i16::try_from(request.year).ok());
        let (estate, year) = bad.build(|| Some((estate?, year?)))?;
        let list = |after: Option<String>, limit| async move {
            self.app.face_to_face_quotas(&access, estate, year, after.as_deref(), limit).await
        };
        let page = page!(self, "ListFaceToFaceQuotas", request, |page| list(page.after.clone(), page.size.limit()), |quota| {
            quota.subject.clone()
        });
        let quotas = page.rows.iter().map(encode_quota).collect();
        Ok(Response::new(pb::ListFaceToFaceQuotasResponse { quotas, next_page_token: page.next_page_token }))
    }
}

fn encode(contact: &Contact) -> pb::CareContact {
    pb::CareContact {
        id: contact.id.to_string(),
        estate_id: contact.estate_id.to_string(),
        household_id: contact.household_id.to_string(),
        customer_id: text(contact.customer_id),
        actor_subject: contact.actor_subject.clone(),
        way: contact.way.number(),
        purpose: contact.purpose.clone(),
        is_two_way: contact.is_two_way,
        topics: contact.topics.clone(),
        contact_time: Some(to_timestamp(contact.contact_time)),
        create_time: Some(to_timestamp(contact.create_time)),
    }
}

fn encode_quota(quota: &Quota) -> pb::FaceToFaceQuota {
    let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    pb::FaceToFaceQuota {
        subject: quota.subject.clone(),
        position: quota.position.clone(),
        required_count: count(quota.required.into()),
        done_count: count(quota.done),
        not_conforming_count: count(quota.not_conforming),
        standing: quota.standing.to_owned(),
    }
}
