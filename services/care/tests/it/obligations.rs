//! Obligations and the dates that bring them about.

use steward_proto::care::v1 as pb;
use tonic::Code;

use crate::words::futures_join;
use crate::world::{World, at, refused, request_id, time};

pub(crate) async fn set_date(world: &World, kind: &str, date: &str) -> pb::SetEstateDateResponse {
    let request = pb::SetEstateDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.to_owned(),
        subject_code: String::new(),
        date: date.to_owned(),
        is_reached: false,
    };
    world.obligations().set_estate_date(world.manager().asks(request)).await.unwrap().into_inner()
}

pub(crate) async fn list(world: &World) -> Vec<pb::Obligation> {
    let request = pb::ListObligationsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    world.obligations().list_obligations(world.manager().asks(request)).await.unwrap().into_inner().obligations
}

pub(crate) async fn obligation(world: &World, code: &str) -> pb::Obligation {
    list(world).await.into_iter().find(|one| one.code == code).unwrap()
}

pub(crate) async fn check(
    world: &World,
    id: &str,
    item: &str,
    proof: &str,
    finding: &str,
) -> Result<tonic::Response<pb::CheckObligationItemResponse>, tonic::Status> {
    let request = pb::CheckObligationItemRequest {
        request_id: request_id(),
        obligation_id: id.to_owned(),
        etag: String::new(),
        item_code: item.to_owned(),
        proof_reference: proof.to_owned(),
        finding: finding.to_owned(),
    };
    world.obligations().check_obligation_item(world.manager().asks(request)).await
}

/// CA-16, CA-17, CA-18: before a sale the site is checked and findings are put right and kept; a handbook or an item of the hall that is
/// missing on the day is told with its flag.
#[tokio::test]
async fn a_sale_brings_about_its_checks() {
    let world = World::new().await;
    let set = set_date(&world, "sale_start", "2026-04-10").await;
    assert_eq!(set.obligation_count, 3);
    let site = obligation(&world, "sales_site_check").await;
    assert_eq!(time(site.due_time.as_ref()), at("2026-04-09T16:00:00Z"), "until the end of the day before");
    let item = "sales_site_rectified";
    refused(check(&world, &site.id, item, "", "").await, Code::InvalidArgument, "PROOF_INCOMPLETE");
    refused(check(&world, &site.id, "nothing", "p", "").await, Code::InvalidArgument, "ITEM_UNKNOWN");
    check(&world, &site.id, item, "photo/1", "broken tiles").await.unwrap();
    let complete = |id: &str| pb::CompleteObligationRequest { request_id: request_id(), obligation_id: id.to_owned(), etag: String::new() };
    let open = world.obligations().complete_obligation(world.manager().asks(complete(&site.id))).await;
    refused(open, Code::FailedPrecondition, "CHECKLIST_INCOMPLETE");
    check(&world, &site.id, item, "photo/2", "").await.unwrap();
    check(&world, &site.id, "comfort_of_signing_room", "photo/3", "").await.unwrap();
    let done = world.obligations().complete_obligation(world.manager().asks(complete(&site.id))).await.unwrap().into_inner();
    let done = done.obligation.unwrap();
    assert!(done.state() == pb::ObligationState::Done && !done.is_late && done.items[0].finding == "broken tiles");

    // CA-16: no handbook by the day before.
    world.go_to("2026-04-09T16:00:01Z");
    world.until_told("ObligationOverdue", 1).await;
    let handbook = obligation(&world, "service_handbook").await;
    assert_eq!((handbook.state(), handbook.flag_code.as_str()), (pb::ObligationState::Overdue, "sale_blocked"));
    // CA-18: one item missing on the day.
    world.go_to("2026-04-10T16:00:01Z");
    world.until_told("ObligationOverdue", 2).await;
    assert_eq!(obligation(&world, "transparency_list").await.flag_code, "opening_not_compliant");
}

/// CA-15: what was found at the sales site and is not put right by the opening is told to whoever owes it, and stands written down.
#[tokio::test]
async fn a_finding_that_is_open_when_sales_open_is_told() {
    let world = World::new().await;
    set_date(&world, "sale_start", "2026-04-10").await;
    let site = obligation(&world, "sales_site_check").await;
    check(&world, &site.id, "sales_site_rectified", "photo/1", "broken tiles").await.unwrap();
    check(&world, &site.id, "comfort_of_signing_room", "photo/2", "").await.unwrap();
    world.go_to("2026-04-09T15:59:59Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.count_facts("ObligationOverdue").await, 0);
    world.go_to("2026-04-09T16:00:01Z");
    // The handbook is missing too.
    world.until_told("ObligationOverdue", 2).await;
    let site = obligation(&world, "sales_site_check").await;
    assert_eq!((site.state(), site.role.as_str()), (pb::ObligationState::Overdue, "quality_department"));
    assert!(site.items[0].has_open_finding && site.items[0].finding == "broken tiles" && site.items[1].is_done);
}

/// Three trips, whatever hangs on the date; and of many who move it at once each moves all of it or nothing.
#[tokio::test]
async fn a_date_moves_with_everything_that_is_counted_from_it() {
    let world = World::new().await;
    world.asked.take();
    set_date(&world, "sale_start", "2026-04-10").await;
    let about = |sql: &String| {
        ["care.estate_dates", "care.obligations", "care.programmes", "care.idempotency"].iter().any(|part| sql.contains(part))
    };
    let asked: Vec<String> = world.asked.take().into_iter().filter(about).collect();
    assert_eq!(asked.len(), 3, "{asked:#?}");

    let days: Vec<String> = (11..27).map(|day| format!("2026-04-{day}")).collect();
    let answers = futures_join(days.iter().map(|day| {
        let request = pb::SetEstateDateRequest {
            request_id: request_id(),
            estate_id: world.estate.to_string(),
            kind: "sale_start".to_owned(),
            subject_code: String::new(),
            date: day.clone(),
            is_reached: false,
        };
        let (mut obligations, manager) = (world.obligations(), world.manager());
        async move { obligations.set_estate_date(manager.asks(request)).await }
    }))
    .await;
    assert!(answers.iter().any(Result::is_ok));
    for refusal in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refusal.code(), Code::Aborted, "{refusal:?}");
    }
    let list_dates = pb::ListEstateDatesRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let dates = world.obligations().list_estate_dates(world.manager().asks(list_dates)).await.unwrap().into_inner().estate_dates;
    let all = list(&world).await;
    assert_eq!((dates.len(), all.len()), (1, 3));
    assert!(all.iter().all(|one| one.anchor_date == dates[0].date), "{dates:?} {all:?}");
}
