//! SegmentService.

use std::sync::Arc;

use prost::Message as _;
use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_kit::predicate::{Catalogue, Finding};
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, mutation, received};
use crate::app::{App, NewSegment, Standing};
use crate::contract::{Code, definition_of};
use crate::domain::segment::{FrozenAudience, Segment};
use crate::store::frozen::Entry;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Segments(pub(super) Arc<App>);

mutation::mutations! {
    "CreateSegment": CreateSegmentRequest -> CreateSegmentResponse { segment: Segment = segment },
    "UpdateSegment": UpdateSegmentRequest -> UpdateSegmentResponse { segment: Segment = segment },
    "TakeAudience": TakeAudienceRequest -> TakeAudienceResponse { audience: FrozenAudience = audience },
}

#[tonic::async_trait]
impl pb::segment_service_server::SegmentService for Segments {
    async fn list_predicate_fields(
        &self,
        request: Request<pb::ListPredicateFieldsRequest>,
    ) -> Result<Response<pb::ListPredicateFieldsResponse>, Status> {
        let (_, mut request) = received(request)?;
        Violations::of(&request).finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListPredicateFields", &request);
        let page = self.0.pages.request::<String>(&query, size, &token)?;
        let fields = Catalogue::household().fields();
        let rest = fields.filter(|field| page.after.as_deref().is_none_or(|after| field.name.as_ref() > after));
        let found: Vec<_> = rest.take(page.size.rows() + 1).collect();
        let page = self.0.pages.page(&query, page.size, found, |field| field.name.to_string())?;
        let fields = page.rows.iter().map(|field| field.wire()).collect();
        Ok(Response::new(pb::ListPredicateFieldsResponse { fields, next_page_token: page.next_page_token }))
    }

    async fn create_segment(&self, request: Request<pb::CreateSegmentRequest>) -> Result<Response<pb::CreateSegmentResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate_id = decode::optional_id(&mut bad, "estate_id", &request.estate_id);
        let name = decode::text(&mut bad, "name", &request.name);
        let subject = decode::required(&mut bad, "subject", request.subject);
        let definition = checked(&mut bad, request.definition.as_ref());
        let new = bad.build(|| Some(NewSegment { estate_id, name: name?, subject: subject?, definition: definition? }))?;
        Ok(Response::new(self.0.create_segment(&mutation::call(&access, &request)?, new).await?))
    }

    async fn update_segment(&self, request: Request<pb::UpdateSegmentRequest>) -> Result<Response<pb::UpdateSegmentResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = decode::target(&mut bad, "segment_id", &request.segment_id, &request.etag);
        let name = decode::text(&mut bad, "name", &request.name);
        let definition = checked(&mut bad, request.definition.as_ref());
        let (target, name, definition) = bad.build(|| Some((target?, name?, definition?)))?;
        let call = mutation::call(&access, &request)?;
        Ok(Response::new(self.0.update_segment(&call, target, &name, &definition).await?))
    }

    async fn get_segment(&self, request: Request<pb::GetSegmentRequest>) -> Result<Response<pb::GetSegmentResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "segment_id", &request.segment_id)?;
        let found = self.0.get_segment(&access, id).await?;
        Ok(Response::new(pb::GetSegmentResponse { segment: Some(segment(&found)) }))
    }

    async fn list_segments(&self, request: Request<pb::ListSegmentsRequest>) -> Result<Response<pb::ListSegmentsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::optional_id(&mut bad, "estate_id", &request.estate_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListSegments", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_segments(&access, estate, page.after, page.size.limit()).await?;
        let page = self.0.pages.page(&query, page.size, found, |segment: &Segment| segment.id.as_uuid())?;
        let segments = page.rows.iter().map(segment).collect();
        Ok(Response::new(pb::ListSegmentsResponse { segments, next_page_token: page.next_page_token }))
    }

    async fn preview_segment(&self, request: Request<pb::PreviewSegmentRequest>) -> Result<Response<pb::PreviewSegmentResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::optional_id(&mut bad, "estate_id", &request.estate_id);
        let subject = decode::required(&mut bad, "subject", request.subject);
        let definition = request.definition.as_ref().and_then(|definition| definition_of(definition, "definition.", &mut bad));
        let (subject, definition) = bad.build(|| subject.zip(definition))?;
        let (member_count, exclusions) = self.0.preview_segment(&access, estate, subject, &definition).await?;
        let exclusions = exclusions.into_iter().map(|(code, count)| pb::ExclusionCount { code, count }).collect();
        Ok(Response::new(pb::PreviewSegmentResponse { member_count, exclusions }))
    }

    async fn explain_segment(&self, request: Request<pb::ExplainSegmentRequest>) -> Result<Response<pb::ExplainSegmentResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let segment = decode::id(&mut bad, "segment_id", &request.segment_id);
        let household = decode::optional_id(&mut bad, "household_id", &request.household_id);
        let customer = decode::optional_id(&mut bad, "customer_id", &request.customer_id);
        if request.household_id.is_empty() && request.customer_id.is_empty() {
            bad.add("household_id", "SUBJECT_REQUIRED", "give a household or a customer");
        }
        let segment = bad.build(|| segment)?;
        let (verdict, exclusion_code, finding) = match self.0.explain_segment(&access, segment, household, customer).await? {
            Standing::Member(finding) => (pb::AudienceVerdict::Member, String::new(), finding),
            Standing::Excluded(code, finding) => (pb::AudienceVerdict::Excluded, code, finding),
            Standing::NotMember(finding) => (pb::AudienceVerdict::NotMember, String::new(), finding),
        };
        Ok(Response::new(pb::ExplainSegmentResponse { verdict: verdict.into(), exclusion_code, reasons: finding.wire() }))
    }

    async fn take_audience(&self, request: Request<pb::TakeAudienceRequest>) -> Result<Response<pb::TakeAudienceResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let segment = decode::id(&mut bad, "segment_id", &request.segment_id);
        let as_of = decode::optional_date(&mut bad, "as_of_date", &request.as_of_date);
        let segment = bad.build(|| segment)?;
        Ok(Response::new(self.0.take_audience(&mutation::call(&access, &request)?, segment, as_of).await?))
    }

    async fn get_audience(&self, request: Request<pb::GetAudienceRequest>) -> Result<Response<pb::GetAudienceResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "audience_id", &request.audience_id)?;
        let found = self.0.get_audience(&access, id).await?;
        Ok(Response::new(pb::GetAudienceResponse { audience: Some(audience(&found)) }))
    }

    async fn list_audience_entries(
        &self,
        request: Request<pb::ListAudienceEntriesRequest>,
    ) -> Result<Response<pb::ListAudienceEntriesResponse>, Status> {
        let (access, mut request) = received(request)?;
        let id = decode::only_id(&request, "audience_id", &request.audience_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListAudienceEntries", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let limit = page.size.limit();
        let found = self.0.list_audience_entries(&access, id, request.excluded_only, page.after.as_ref(), limit).await?;
        let page = self.0.pages.page(&query, page.size, found, |(entry, _)| (entry.key.household_id, entry.key.customer_id))?;
        let entries = page.rows.iter().map(|(row, finding)| entry(row, finding)).collect();
        Ok(Response::new(pb::ListAudienceEntriesResponse { entries, next_page_token: page.next_page_token }))
    }
}

/// The encoded definition, if it compiles.
fn checked(bad: &mut Violations, definition: Option<&pb::SegmentDefinition>) -> Option<Vec<u8>> {
    let definition = definition?;
    definition_of(definition, "definition.", bad).map(|_| definition.encode_to_vec())
}

fn segment(segment: &Segment) -> pb::Segment {
    pb::Segment {
        id: segment.id.to_string(),
        estate_id: segment.estate_id.map(|id| id.to_string()).unwrap_or_default(),
        name: segment.name.clone(),
        subject: segment.subject.number(),
        // Written by this service; one that does not decode is shown without its rule.
        definition: pb::SegmentDefinition::decode(segment.definition.as_slice()).ok(),
        etag: segment.row_version.to_string(),
        create_time: Some(to_timestamp(segment.create_time)),
        update_time: Some(to_timestamp(segment.update_time)),
    }
}

fn audience(audience: &FrozenAudience) -> pb::Audience {
    pb::Audience {
        id: audience.id.to_string(),
        segment_id: audience.segment_id.to_string(),
        estate_id: audience.estate_id.map(|id| id.to_string()).unwrap_or_default(),
        definition: pb::SegmentDefinition::decode(audience.definition.as_slice()).ok(),
        as_of_date: to_date(audience.as_of_date),
        member_count: audience.member_count,
        excluded_count: audience.excluded_count,
        digest: hex::encode(&audience.digest),
        create_time: Some(to_timestamp(audience.create_time)),
    }
}

fn entry(entry: &Entry, finding: &Finding) -> pb::AudienceEntry {
    pb::AudienceEntry {
        household_id: entry.key.household_id.to_string(),
        customer_id: entry.key.customer(),
        unit_id: entry.unit_id.to_string(),
        estate_id: entry.estate_id.to_string(),
        exclusion_code: entry.exclusion.clone().unwrap_or_default(),
        reasons: finding.wire(),
    }
}
