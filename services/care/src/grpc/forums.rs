//! The RPCs of `ForumService`.

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::forum_service_server::ForumService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, target, text, time};
use super::{Answer, Edge};
use crate::app::NewForum;
use crate::contract::{Code, condition, required};
use crate::domain::base::Stored;
use crate::domain::forum::{Forum, Invitation};
use crate::domain::meeting::Period;
use crate::store::documents::Place;

#[tonic::async_trait]
impl ForumService for Edge {
    async fn create_forum(&self, request: Request<pb::CreateForumRequest>) -> Answer<pb::CreateForumResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateForum", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, start_time) = (bad.id("estate_id", &request.estate_id), bad.timestamp("start_time", request.start_time.as_ref()));
        let plan_item = bad.optional_id("plan_item_id", &request.plan_item_id);
        let audience = request.audience.as_ref().and_then(|of| condition(of, "audience", &mut bad));
        let (estate, start_time) = bad.build(|| Some((estate?, start_time?)))?;
        let new = NewForum {
            estate,
            kind: request.kind,
            title: request.title,
            topics: request.topics,
            start_time,
            audience,
            invite_count: request.invite_count as usize,
            seed: request.seed,
            plan_item,
        };
        let answer = |row: &Stored<Forum>| pb::CreateForumResponse { forum: Some(encode(row)) };
        Ok(Response::new(self.app.create_forum(&call, new, answer).await?))
    }

    async fn get_forum(&self, request: Request<pb::GetForumRequest>) -> Answer<pb::GetForumResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "forum_id", &request.forum_id);
        let row = self.app.forum(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetForumResponse { forum: Some(encode(&row)) }))
    }

    async fn list_forums(&self, request: Request<pb::ListForumsRequest>) -> Answer<pb::ListForumsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListForums", request, |page| self.app.list_forums(&access, estate, &page), Place::of);
        let forums = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListForumsResponse { forums, next_page_token: page.next_page_token }))
    }

    async fn get_meeting_standing(&self, request: Request<pb::GetMeetingStandingRequest>) -> Answer<pb::GetMeetingStandingResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let (estate, year) = (bad.id("estate_id", &request.estate_id), i16::try_from(request.year).ok());
        let (estate, year) = bad.build(|| Some((estate?, year?)))?;
        let (periods, today) = self.app.meeting_standing(&access, estate, year).await?;
        let period = |period: &Period| pb::MeetingPeriod {
            kind: period.kind.clone(),
            from_date: to_date(period.from_date),
            to_date: to_date(period.to_date),
            held_count: period.held,
            planned_count: period.planned,
            standing: period.standing(today).to_owned(),
        };
        Ok(Response::new(pb::GetMeetingStandingResponse { periods: periods.iter().map(period).collect() }))
    }

    async fn record_forum_reply(&self, request: Request<pb::RecordForumReplyRequest>) -> Answer<pb::RecordForumReplyResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordForumReply", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "forum_id", &request.forum_id, &request.etag);
        let (household, reply) = (bad.id("household_id", &request.household_id), required(&mut bad, "reply", request.reply));
        let (target, household, reply) = bad.build(|| Some((target?, household?, reply?)))?;
        let answer = |row: &Stored<Forum>| pb::RecordForumReplyResponse { forum: Some(encode(row)) };
        Ok(Response::new(self.app.record_forum_reply(&call, target, household, reply, answer).await?))
    }

    async fn hold_forum(&self, request: Request<pb::HoldForumRequest>) -> Answer<pb::HoldForumResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "HoldForum", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "forum_id", &request.forum_id, &request.etag);
        let end = bad.optional_timestamp("end_time", request.end_time.as_ref());
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Forum>| pb::HoldForumResponse { forum: Some(encode(row)) };
        Ok(Response::new(self.app.hold_forum(&call, target, end, request.attending_roles, answer).await?))
    }

    async fn publish_forum_minutes(&self, request: Request<pb::PublishForumMinutesRequest>) -> Answer<pb::PublishForumMinutesResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PublishForumMinutes", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "forum_id", &request.forum_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Forum>| pb::PublishForumMinutesResponse { forum: Some(encode(row)) };
        Ok(Response::new(self.app.publish_forum_minutes(&call, target, &request.document_reference, answer).await?))
    }
}

fn encode(row: &Stored<Forum>) -> pb::Forum {
    let one = &row.value;
    let invitation = |invitation: &Invitation| pb::ForumInvitation {
        household_id: invitation.household_id.to_string(),
        building_code: invitation.building_code.clone(),
        reply: invitation.reply.map_or(0, Code::number),
    };
    pb::Forum {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        kind: one.kind.clone(),
        title: one.title.clone(),
        topics: one.topics.clone(),
        start_time: Some(to_timestamp(one.start_time)),
        state: one.state.number(),
        min_size: one.min_size,
        max_size: one.max_size,
        invitations: one.invitations.iter().map(invitation).collect(),
        confirmed_count: u32::try_from(one.confirmed_count()).unwrap_or(u32::MAX),
        warnings: one.warnings.clone(),
        attending_roles: one.attending_roles.clone(),
        minutes_due_time: time(one.minutes_due_time),
        minutes_time: time(one.minutes_time),
        is_late: one.is_late,
        plan_item_id: text(one.plan_item_id),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}
