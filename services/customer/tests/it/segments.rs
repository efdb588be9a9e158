//! Segments: saved, counted, explained, frozen.

use anyhow::Result;
use steward_harness::Claims;
use steward_kit::predicate::ask;
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{Caller, World, refusal, request_id, violations};
use pb::SegmentSubject::{Customer, Household};
use pb::TenureRole::{FamilyMember, Owner, Tenant};

fn definition(predicate: common::Predicate, exclusions: Vec<(&str, common::Predicate)>) -> pb::SegmentDefinition {
    let exclusions =
        exclusions.into_iter().map(|(code, predicate)| pb::AudienceExclusion { code: code.into(), predicate: Some(predicate) });
    pb::SegmentDefinition { predicate: Some(predicate), exclusions: exclusions.collect() }
}

fn create(estate: &str, name: &str, subject: pb::SegmentSubject, definition: &pb::SegmentDefinition) -> pb::CreateSegmentRequest {
    pb::CreateSegmentRequest {
        request_id: request_id(),
        estate_id: estate.into(),
        name: name.into(),
        subject: subject.into(),
        definition: Some(definition.clone()),
    }
}

async fn segment(caller: &Caller, request: pb::CreateSegmentRequest) -> Result<pb::Segment, tonic::Status> {
    Ok(caller.segments().create_segment(caller.ask(request)).await?.into_inner().segment.unwrap_or_default())
}

async fn take(caller: &Caller, segment: &pb::Segment) -> Result<pb::Audience, tonic::Status> {
    let request = pb::TakeAudienceRequest { request_id: request_id(), segment_id: segment.id.clone(), as_of_date: "2026-06-10".into() };
    Ok(caller.segments().take_audience(caller.ask(request)).await?.into_inner().audience.unwrap_or_default())
}

/// Three units: one let with owner and tenant, one lived in by a family of two, one empty.
async fn neighbourhood(ops: &Caller) -> Result<(pb::Estate, Vec<pb::Unit>, Vec<pb::Customer>)> {
    let estate = ops.estate("JX").await?;
    let mut units = Vec::new();
    for code in ["101", "102", "103"] {
        units.push(ops.unit(&estate, code).await?);
    }
    let mut people = Vec::new();
    let roles = [(0, Owner), (0, Tenant), (1, Owner), (1, FamilyMember)];
    for (at, (unit, role)) in roles.into_iter().enumerate() {
        let person = ops.person(&estate, "王芳", &format!("1990000000{at}")).await?;
        ops.tenure(&units[unit], &person, role, ("2026-01-01", "")).await?;
        people.push(person);
    }
    Ok((estate, units, people))
}

/// CP-52, CP-26
#[tokio::test]
async fn a_segment_is_counted_explained_and_frozen_the_same_twice() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, units, people) = neighbourhood(&ops).await?;
    let definition = definition(
        ask::is_true("household.has_owner"),
        vec![("let", ask::equals("tenure.role", ["tenant"])), ("never", ask::at_least("household.member_count", 9))],
    );
    let preview = |subject: pb::SegmentSubject| pb::PreviewSegmentRequest {
        estate_id: estate.id.clone(),
        subject: subject.into(),
        definition: Some(definition.clone()),
    };
    let counts = async |subject: pb::SegmentSubject| -> Result<(i64, Vec<(String, i64)>)> {
        let answer = ops.segments().preview_segment(ops.ask(preview(subject))).await?.into_inner();
        Ok((answer.member_count, answer.exclusions.into_iter().map(|count| (count.code, count.count)).collect()))
    };
    let of = |left_out: i64| vec![("let".to_owned(), left_out), ("never".to_owned(), 0)];
    assert_eq!(counts(Household).await?, (1, of(1)));
    assert_eq!(counts(Customer).await?, (3, of(1)));

    let request = create(&estate.id, "有主的户", Household, &definition);
    let saved = segment(&ops, request.clone()).await?;
    assert_eq!(segment(&ops, request).await?, saved, "the same request gets the same answer");
    let taken = segment(&ops, create(&estate.id, "有主的户", Customer, &definition)).await.expect_err("refused");
    assert_eq!(refusal(&taken), (Code::AlreadyExists, "SEGMENT_NAME_TAKEN".into()));

    let explain = async |customer: &pb::Customer| -> Result<(pb::AudienceVerdict, String, Vec<String>)> {
        let request = pb::ExplainSegmentRequest { segment_id: saved.id.clone(), customer_id: customer.id.clone(), ..Default::default() };
        let answer = ops.segments().explain_segment(ops.ask(request)).await?.into_inner();
        let reasons = answer.reasons.iter().map(|reason| format!("{}={}", reason.field, reason.fact)).collect();
        Ok((answer.verdict(), answer.exclusion_code, reasons))
    };
    let member = (pb::AudienceVerdict::Member, String::new(), vec!["household.has_owner=true".to_owned()]);
    assert_eq!(explain(&people[2]).await?, member);
    let excluded = (pb::AudienceVerdict::Excluded, "let".to_owned(), vec!["tenure.role=tenant".to_owned()]);
    assert_eq!(explain(&people[0]).await?, excluded, "a household speaks by its main contact");

    let (first, second) = (take(&ops, &saved).await?, take(&ops, &saved).await?);
    assert_eq!((first.member_count, first.excluded_count), (1, 1));
    assert_eq!(first.digest, second.digest);
    // The register moves on; what was frozen does not.
    let late = ops.person(&estate, "韩梅梅", "19900000009").await?;
    ops.tenure(&units[2], &late, Owner, ("2026-06-01", "")).await?;
    assert_eq!(counts(Household).await?, (2, of(1)));
    assert_ne!(take(&ops, &saved).await?.digest, first.digest);
    let entries = async |excluded_only: bool| -> Result<Vec<(String, String, Vec<String>)>> {
        let request = pb::ListAudienceEntriesRequest { audience_id: first.id.clone(), excluded_only, ..Default::default() };
        let found = ops.segments().list_audience_entries(ops.ask(request)).await?.into_inner().entries;
        let told = found.into_iter().map(|entry| {
            let reasons = entry.reasons.iter().map(|reason| format!("{}={}", reason.field, reason.fact)).collect();
            (entry.unit_id, entry.exclusion_code, reasons)
        });
        Ok(told.collect())
    };
    let out = (units[0].id.clone(), "let".to_owned(), vec!["tenure.role=tenant".to_owned()]);
    let within = (units[1].id.clone(), String::new(), vec!["household.has_owner=true".to_owned()]);
    assert_eq!(entries(true).await?, std::slice::from_ref(&out));
    let mut all = entries(false).await?;
    all.sort();
    let mut both = vec![out, within];
    both.sort();
    assert_eq!(all, both);
    let request = pb::GetAudienceRequest { audience_id: first.id.clone() };
    assert_eq!(ops.segments().get_audience(ops.ask(request)).await?.into_inner().audience, Some(first));
    Ok(())
}

#[tokio::test]
async fn a_segment_of_the_group_is_for_those_who_reach_the_group() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, ..) = neighbourhood(&ops).await?;
    let other = ops.estate("QT").await?;
    ops.unit(&other, "901").await?;
    let everybody = definition(ask::at_least("household.member_count", 0), vec![]);
    let supervisor = world.caller(Claims::staff("li").role("steward_supervisor").estate(&estate.id));
    let refused = segment(&supervisor, create("", "全部", Household, &everybody)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("estate_id".to_owned(), "ESTATE_REQUIRED".to_owned())]);
    let refused = segment(&supervisor, create(&other.id, "全部", Household, &everybody)).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let of_group = segment(&ops, create("", "全部", Household, &everybody)).await?;
    let of_estate = segment(&supervisor, create(&estate.id, "全部", Household, &everybody)).await?;

    // The group's facts are not settled for a reader; they are there in moments.
    let count = async |caller: &Caller| -> Result<i64> {
        let request =
            pb::PreviewSegmentRequest { estate_id: String::new(), subject: Household.into(), definition: Some(everybody.clone()) };
        Ok(caller.segments().preview_segment(caller.ask(request)).await?.into_inner().member_count)
    };
    crate::world::eventually("four households", || async { Ok(Some(count(&ops).await?).filter(|count| *count == 4)) }).await?;
    assert_eq!(count(&supervisor).await?, 3, "each caller counts what they reach");
    let refused = take(&supervisor, &of_group).await.expect_err("refused");
    assert_eq!(violations(&refused), [("estate_id".to_owned(), "ESTATE_REQUIRED".to_owned())]);
    assert_eq!(take(&supervisor, &of_estate).await?.member_count, 3);

    let listed = async |caller: &Caller| -> Result<Vec<String>> {
        let request = pb::ListSegmentsRequest::default();
        let found = caller.segments().list_segments(caller.ask(request)).await?.into_inner().segments;
        Ok(found.into_iter().map(|segment| segment.id).collect())
    };
    assert_eq!(listed(&supervisor).await?, [of_estate.id.clone(), of_group.id.clone()]);
    let stranger = world.caller(Claims::staff("wang").role("steward").estate(&other.id));
    assert_eq!(listed(&stranger).await?, [of_group.id]);
    let request = pb::GetSegmentRequest { segment_id: of_estate.id.clone() };
    let refused = stranger.segments().get_segment(stranger.ask(request)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::NotFound, "SEGMENT_NOT_FOUND".into()));

    let update = |etag: &str| pb::UpdateSegmentRequest {
        request_id: request_id(),
        segment_id: of_estate.id.clone(),
        etag: etag.into(),
        name: "有人的户".into(),
        definition: Some(definition(ask::at_least("household.member_count", 1), vec![])),
    };
    let changed = supervisor.segments().update_segment(supervisor.ask(update("1"))).await?.into_inner().segment.unwrap_or_default();
    assert_eq!((changed.name.as_str(), changed.etag.as_str()), ("有人的户", "2"));
    let stale = supervisor.segments().update_segment(supervisor.ask(update("1"))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    assert_eq!(take(&supervisor, &changed).await?.member_count, 2);
    Ok(())
}

/// CP-10
#[tokio::test]
async fn the_catalogue_lists_its_fields_and_the_journey_has_eight_nodes_in_order() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let mut fields = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListPredicateFieldsRequest { page_size: 20, page_token };
        let page = ops.segments().list_predicate_fields(ops.ask(request)).await?.into_inner();
        fields.extend(page.fields);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(fields.is_sorted_by_key(|field| field.name.clone()));
    let nodes = fields.iter().find(|field| field.name == "customer.journey_node").map(|field| field.codes.clone());
    let expected = ["inquiry", "signing", "early_occupancy", "mid_occupancy", "community", "special_need", "upgrade", "exit"];
    assert_eq!(nodes.unwrap_or_default(), expected);
    let age = fields.iter().find(|field| field.name == "customer.age").expect("an age");
    assert!(age.is_personal && age.operators().any(|operator| operator == common::Operator::Between));
    Ok(())
}
