//! The RPCs of `ActivityService`.

use steward_kit::error::Violations;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::activity_service_server::ActivityService;
use tonic::{Request, Response};
use uuid::Uuid;

use super::activity_messages::{FIELDS, encode, encode_registration, encode_type, plan, replanned};
use super::request::{call, id, page, received, states, target};
use super::{Answer, Edge};
use crate::contract::{all, optional};
use crate::domain::activity::Activity;
use crate::domain::activity_types::ActivityType;
use crate::domain::community_codes::{ActivityFamily, RegistrationState};
use crate::domain::registration::Registration;
use crate::store::documents::Place;

#[tonic::async_trait]
impl ActivityService for Edge {
    async fn list_activity_types(&self, request: Request<pb::ListActivityTypesRequest>) -> Answer<pb::ListActivityTypesResponse> {
        let (_, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let family = optional::<ActivityFamily>(&mut bad, "family", request.family);
        bad.finish()?;
        let place = |one: &ActivityType| (one.family, one.code.clone());
        let page = page!(self, "ListActivityTypes", request, |page| self.app.list_activity_types(family, &page), place);
        let activity_types = page.rows.iter().map(encode_type).collect();
        Ok(Response::new(pb::ListActivityTypesResponse { activity_types, next_page_token: page.next_page_token }))
    }

    async fn create_activity(&self, request: Request<pb::CreateActivityRequest>) -> Answer<pb::CreateActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let plan = request.plan.as_ref().and_then(|of| plan(of, &mut bad));
        let (estate, plan) = bad.build(|| Some((estate?, plan?)))?;
        let answer = |row: &Activity| pb::CreateActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.create_activity(&call, estate, plan, answer).await?))
    }

    async fn update_activity(&self, request: Request<pb::UpdateActivityRequest>) -> Answer<pb::UpdateActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "UpdateActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let plan = request.plan.as_ref().and_then(|of| plan(of, &mut bad));
        let fields = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if fields.is_empty() || fields.iter().any(|field| !FIELDS.contains(&field.as_str())) {
            bad.add("update_mask", "UPDATE_MASK_INVALID", format!("must name some of {}", FIELDS.join(", ")));
        }
        let (target, plan) = bad.build(|| Some((target?, plan?)))?;
        let answer = |row: &Activity| pb::UpdateActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.update_activity(&call, target, |before| replanned(before, &plan, fields), answer).await?))
    }

    async fn approve_activity(&self, request: Request<pb::ApproveActivityRequest>) -> Answer<pb::ApproveActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ApproveActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Activity| pb::ApproveActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.change_activity(&call, target, |row, _| row.approve(call.subject()), answer).await?))
    }

    async fn publish_activity(&self, request: Request<pb::PublishActivityRequest>) -> Answer<pb::PublishActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PublishActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Activity| pb::PublishActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.change_activity(&call, target, Activity::publish, answer).await?))
    }

    async fn reschedule_activity(&self, request: Request<pb::RescheduleActivityRequest>) -> Answer<pb::RescheduleActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RescheduleActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let start = bad.timestamp("start_time", request.start_time.as_ref());
        let end = bad.timestamp("end_time", request.end_time.as_ref());
        let to = bad.optional_timestamp("registration_to_time", request.registration_to_time.as_ref());
        let (target, start, end) = bad.build(|| Some((target?, start?, end?)))?;
        let answer = |row: &Activity| pb::RescheduleActivityResponse { activity: Some(encode(row, &access)) };
        let decide = |row: &Activity, now| row.reschedule(start, end, to, &request.reason_code, now);
        Ok(Response::new(self.app.change_activity(&call, target, decide, answer).await?))
    }

    async fn cancel_activity(&self, request: Request<pb::CancelActivityRequest>) -> Answer<pb::CancelActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Activity| pb::CancelActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.change_activity(&call, target, |row, _| row.cancel(&request.reason_code), answer).await?))
    }

    async fn close_activity(&self, request: Request<pb::CloseActivityRequest>) -> Answer<pb::CloseActivityResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CloseActivity", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "activity_id", &request.activity_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Activity| pb::CloseActivityResponse { activity: Some(encode(row, &access)) };
        Ok(Response::new(self.app.change_activity(&call, target, Activity::close, answer).await?))
    }

    async fn link_activity_opinion(&self, request: Request<pb::LinkActivityOpinionRequest>) -> Answer<pb::LinkActivityOpinionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "LinkActivityOpinion", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let activity = id(&mut bad, "activity_id", &request.activity_id);
        let item = id(&mut bad, "feedback_item_id", &request.feedback_item_id);
        let (activity, item) = bad.build(|| Some((activity?, item?)))?;
        Ok(Response::new(self.app.link_activity_opinion(&call, activity, item).await?))
    }

    async fn get_activity(&self, request: Request<pb::GetActivityRequest>) -> Answer<pb::GetActivityResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "activity_id", &request.activity_id);
        let row = self.app.activity(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetActivityResponse { activity: Some(encode(&row, &access)) }))
    }

    async fn list_activities(&self, request: Request<pb::ListActivitiesRequest>) -> Answer<pb::ListActivitiesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let states = all(&mut bad, "states", &request.states);
        let estate = bad.build(|| estate)?;
        let place = |row: &Activity| Place { time: row.document.plan.start_time, id: row.id };
        let page = page!(self, "ListActivities", request, |page| self.app.list_activities(&access, estate, &states, &page), place);
        let activities = page.rows.iter().map(|row| encode(row, &access)).collect();
        Ok(Response::new(pb::ListActivitiesResponse { activities, next_page_token: page.next_page_token }))
    }

    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "Register", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let activity = id(&mut bad, "activity_id", &request.activity_id);
        let household = bad.id("household_id", &request.household_id);
        let (activity, household) = bad.build(|| Some((activity?, household?)))?;
        let answer = |row: &Registration| pb::RegisterResponse { registration: Some(encode_registration(row, true)) };
        let answered = |stored: &pb::RegisterResponse| Uuid::try_parse(&stored.registration.as_ref()?.id).ok();
        Ok(Response::new(self.app.register(&call, activity, household, request.party_size, answer, answered).await?))
    }

    async fn cancel_registration(&self, request: Request<pb::CancelRegistrationRequest>) -> Answer<pb::CancelRegistrationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelRegistration", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "registration_id", &request.registration_id);
        let id = bad.build(|| id)?;
        let answer = |row: &Registration| pb::CancelRegistrationResponse { registration: Some(encode_registration(row, true)) };
        Ok(Response::new(self.app.cancel_registration(&call, id, answer).await?))
    }

    async fn check_in(&self, request: Request<pb::CheckInRequest>) -> Answer<pb::CheckInResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CheckIn", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let activity = id(&mut bad, "activity_id", &request.activity_id);
        let activity = bad.build(|| activity)?;
        let answer = |row: &Registration| pb::CheckInResponse { registration: Some(encode_registration(row, false)) };
        Ok(Response::new(self.app.check_in(&call, activity, &request.check_in_code, answer).await?))
    }

    async fn get_registration(&self, request: Request<pb::GetRegistrationRequest>) -> Answer<pb::GetRegistrationResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "registration_id", &request.registration_id);
        let row = self.app.registration(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetRegistrationResponse { registration: Some(encode_registration(&row, true)) }))
    }

    async fn list_registrations(&self, request: Request<pb::ListRegistrationsRequest>) -> Answer<pb::ListRegistrationsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let activity = id(&mut bad, "activity_id", &request.activity_id);
        let states = states::<RegistrationState>(&mut bad, &request.states);
        let activity = bad.build(|| activity)?;
        let rows = &self.app;
        let page = page!(
            self,
            "ListRegistrations",
            request,
            |page| rows.list_registrations(&access, activity, &states, &page),
            |row: &Registration| row.sequence
        );
        let registrations = page.rows.iter().map(|row| encode_registration(row, false)).collect();
        Ok(Response::new(pb::ListRegistrationsResponse { registrations, next_page_token: page.next_page_token }))
    }
}
