//! Packages: what recurs is planned, what is used is counted, what is cancelled stops; parcels are told of in time.

use jiff::civil::date;
use prost::Message;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::parcel_service_client::ParcelServiceClient;
use steward_proto::care::v1::service_package_service_client::ServicePackageServiceClient;
use steward_proto::common::v1 as common;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;

use crate::community::resident;
use crate::households::Household;
use crate::residences::family_member;
use crate::world::{World, eventually, refused, request_id};

fn client(world: &World) -> ServicePackageServiceClient<Channel> {
    ServicePackageServiceClient::new(world.channel())
}

fn parcels(world: &World) -> ParcelServiceClient<Channel> {
    ParcelServiceClient::new(world.channel())
}

fn hours(value: u32) -> Option<common::Span> {
    Some(common::Span { value, unit: common::Unit::Hour.into(), calendar: "24x7".to_owned() })
}

fn item(code: &str) -> pb::PackageItem {
    pb::PackageItem { code: code.to_owned(), name_zh: code.to_owned(), ..Default::default() }
}

/// CA-61: an appliance check each quarter, a cake for the birthday by booking.
fn elderly() -> Vec<pb::PackageItem> {
    let check = pb::PackageItem { every: pb::Recurrence::Quarter.into(), role: "technician".to_owned(), ..item("appliance_check") };
    vec![check, item("birthday_cake")]
}

/// CA-62 and CA-63: parcels are kept for 24 hours; a meeting room is free for two hours of a month, and 50.00 for each started hour above.
fn business() -> Vec<pb::PackageItem> {
    let room = pb::PackageItem {
        unit_code: "minute".to_owned(),
        free_quantity: 120,
        overage_price_cents: 5000,
        overage_block: 60,
        ..item("meeting_room")
    };
    vec![room, pb::PackageItem { keep_within: hours(24), ..item("parcel_keeping") }]
}

fn package_of(world: &World, code: &str, items: Vec<pb::PackageItem>) -> pb::PutServicePackageRequest {
    pb::PutServicePackageRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        code: code.to_owned(),
        name_zh: code.to_owned(),
        items,
        month_price_cents: 9900,
        term_months: 12,
        ..Default::default()
    }
}

async fn offer(world: &World, request: pb::PutServicePackageRequest) -> pb::ServicePackage {
    client(world).put_service_package(world.manager().asks(request)).await.unwrap().into_inner().service_package.unwrap()
}

fn enrol_of(package: &pb::ServicePackage, household: &Household, start_date: &str) -> pb::EnrolRequest {
    pb::EnrolRequest {
        request_id: request_id(),
        service_package_id: package.id.clone(),
        household_id: household.id.to_string(),
        item_codes: Vec::new(),
        start_date: start_date.to_owned(),
    }
}

async fn enrol(world: &World, request: pb::EnrolRequest) -> pb::Enrolment {
    client(world).enrol(world.steward().asks(request)).await.unwrap().into_inner().enrolment.unwrap()
}

fn use_of(enrolment: &pb::Enrolment, quantity: i64, use_date: &str) -> pb::RecordPackageUseRequest {
    pb::RecordPackageUseRequest {
        request_id: request_id(),
        enrolment_id: enrolment.id.clone(),
        item_code: "meeting_room".to_owned(),
        quantity,
        use_date: use_date.to_owned(),
    }
}

async fn cancel(world: &World, enrolment: &pb::Enrolment) -> pb::Enrolment {
    let request = pb::CancelEnrolmentRequest { request_id: request_id(), enrolment_id: enrolment.id.clone(), etag: String::new() };
    client(world).cancel_enrolment(world.steward().asks(request)).await.unwrap().into_inner().enrolment.unwrap()
}

async fn due_dates(world: &World, household: &Household) -> Vec<String> {
    let mut all: Vec<String> = world
        .of_household(household.id)
        .await
        .iter()
        .filter(|one| one.state() != pb::TouchpointState::Cancelled)
        .map(|one| crate::world::time(one.due_time.as_ref()).to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date().to_string())
        .collect();
    all.sort();
    all
}

/// CA-61: enrolled from the first of January on, four appliance checks are scheduled in the year, as tasks of the role, each due with its
/// quarter; in the next year four more. What is done by booking is not scheduled.
#[tokio::test]
async fn an_enrolment_schedules_four_checks_in_the_year() {
    let world = World::new().await;
    let package = offer(&world, package_of(&world, "elderly", elderly())).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&package, &household, "2027-01-01")).await;
    assert_eq!((enrolment.planned_count, enrolment.term_end_date.as_str()), (4, "2027-12-31"));
    assert_eq!(due_dates(&world, &household).await, ["2027-01-01", "2027-04-01", "2027-07-01", "2027-10-01"]);
    world.until_told("EnrolmentConfirmed", 1).await;

    world.go_to("2027-01-02T00:00:00Z");
    let due = world.until(household.id, pb::TouchpointState::Due).await;
    assert_eq!((due.definition_code.as_str(), due.programme_code.as_str()), ("appliance_check", "elderly"));
    world.until_told("TouchpointTaskDue", 1).await;
    // Not done in its quarter, it is overdue.
    world.go_to("2027-04-01T00:00:00+08:00");
    world.until(household.id, pb::TouchpointState::Overdue).await;

    world.go_to("2028-01-01T00:00:00+08:00");
    eventually("the next term", || async { (due_dates(&world, &household).await.len() == 8).then_some(()) }).await;
    assert_eq!(due_dates(&world, &household).await[4..], ["2028-01-01", "2028-04-01", "2028-07-01", "2028-10-01"]);
}

/// CA-63: two hours of a month are free; one hour more is charged, a started one whole; the next month has its own two.
#[tokio::test]
async fn use_above_what_is_free_is_charged() {
    let world = World::new().await;
    let package = offer(&world, package_of(&world, "business", business())).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&package, &household, "2026-03-01")).await;
    let record = async |quantity, day| {
        let request = use_of(&enrolment, quantity, day);
        let answer = client(&world).record_package_use(world.steward().asks(request)).await.unwrap().into_inner().package_use.unwrap();
        (answer.free_quantity, answer.charged_quantity, answer.charge_cents, answer.month_quantity)
    };
    assert_eq!(record(120, "2026-03-05").await, (120, 0, 0, 120));
    assert_eq!(record(60, "2026-03-06").await, (0, 60, 5000, 180));
    assert_eq!(record(90, "2026-04-06").await, (90, 0, 0, 90));
    assert_eq!(record(91, "2026-04-07").await, (30, 61, 10_000, 181));
    world.until_told("PackageUseCharged", 2).await;
    let list = pb::ListPackageUsesRequest { enrolment_id: enrolment.id.clone(), page_size: 3, ..Default::default() };
    let page = client(&world).list_package_uses(world.steward().asks(list)).await.unwrap().into_inner();
    assert_eq!((page.package_uses.len(), page.next_page_token.is_empty()), (3, false));
}

/// CA-63: what is free is given once, however many book at once; a booking that comes again is counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_share_what_is_free() {
    let world = World::new().await;
    let package = offer(&world, package_of(&world, "business", business())).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&package, &household, "2026-03-01")).await;
    let mut calls = JoinSet::new();
    let twice = use_of(&enrolment, 30, "2026-03-05");
    for at in 0..12 {
        let request = if at < 2 { twice.clone() } else { use_of(&enrolment, 30, "2026-03-05") };
        let (mut client, asked) = (client(&world), world.steward().asks(request));
        calls.spawn(async move { client.record_package_use(asked).await.unwrap().into_inner().package_use.unwrap() });
    }
    let mut answers = calls.join_all().await;
    answers.sort_by(|one, other| one.id.cmp(&other.id));
    answers.dedup();
    assert_eq!(answers.len(), 11, "the one that came twice is one");
    assert_eq!(answers.iter().map(|one| one.free_quantity).sum::<i64>(), 120);
    assert_eq!(answers.iter().map(|one| one.charge_cents).sum::<i64>(), 7 * 5000);
    let again = client(&world).record_package_use(world.steward().asks(twice)).await.unwrap().into_inner().package_use.unwrap();
    assert!(answers.iter().any(|one| one.encode_to_vec() == again.encode_to_vec()));
}

/// CA-64: a household chooses items of a menu and pays for those; cancelled, it lasts to the end of the month that is paid, and what was
/// planned after that is cancelled; then it may enrol anew.
#[tokio::test]
async fn a_menu_is_chosen_from_and_cancelled_with_the_period() {
    let world = World::new().await;
    let window = pb::PackageItem {
        every: pb::Recurrence::Month.into(),
        role: "technician".to_owned(),
        month_price_cents: 3000,
        ..item("window_cleaning")
    };
    let plants = pb::PackageItem { month_price_cents: 500, ..item("plant_care") };
    let menu = pb::PutServicePackageRequest {
        is_a_la_carte: true,
        month_price_cents: 0,
        ..package_of(&world, "menu", vec![window, plants, item("tea")])
    };
    let menu = offer(&world, menu).await;
    let household = world.households.add(date(2026, 3, 1));
    let chosen = |codes: &[&str]| pb::EnrolRequest {
        item_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        ..enrol_of(&menu, &household, "2026-03-10")
    };
    for bad in [&["opera"][..], &["tea", "tea"], &[]] {
        refused(client(&world).enrol(world.steward().asks(chosen(bad))).await, Code::InvalidArgument, "PACKAGE_INVALID");
    }
    let enrolment = enrol(&world, chosen(&["window_cleaning", "plant_care"])).await;
    assert_eq!((enrolment.month_price_cents, enrolment.planned_count), (3500, 12));
    let again = client(&world).enrol(world.steward().asks(chosen(&["tea"]))).await;
    refused(again, Code::AlreadyExists, "ALREADY_ENROLLED");

    world.go_to("2026-04-15T00:00:00Z");
    let cancelled = cancel(&world, &enrolment).await;
    assert_eq!((cancelled.state(), cancelled.end_date.as_str()), (pb::EnrolmentState::Ending, "2026-05-09"));
    assert_eq!(due_dates(&world, &household).await, ["2026-03-10", "2026-04-10"]);
    world.until_told("EnrolmentCancelled", 1).await;
    let request = pb::CancelEnrolmentRequest { request_id: request_id(), enrolment_id: enrolment.id.clone(), etag: String::new() };
    refused(client(&world).cancel_enrolment(world.steward().asks(request)).await, Code::FailedPrecondition, "ENROLMENT_STATE_FORBIDS");

    world.go_to("2026-05-10T00:00:00+08:00");
    let get = || pb::GetEnrolmentRequest { enrolment_id: enrolment.id.clone() };
    eventually("its end", || async {
        let found = client(&world).get_enrolment(world.steward().asks(get())).await.unwrap().into_inner().enrolment.unwrap();
        (found.state() == pb::EnrolmentState::Ended).then_some(())
    })
    .await;
    enrol(&world, pb::EnrolRequest { start_date: "2026-05-10".to_owned(), ..chosen(&["tea"]) }).await;
}

/// CA-62: a parcel that is kept for 24 hours is told of at the 24th, once; one that was fetched is not. The times are those of the item.
#[tokio::test]
async fn a_parcel_is_told_of_after_a_day() {
    let mut world = World::new().await;
    let package = offer(&world, package_of(&world, "business", business())).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&package, &household, "2026-03-01")).await;
    let receive = |item_code: &str| pb::ReceiveParcelRequest {
        request_id: request_id(),
        enrolment_id: enrolment.id.clone(),
        item_code: item_code.to_owned(),
        tracking_number: "SF-1".to_owned(),
        shelf_code: "A3".to_owned(),
    };
    let wrong = parcels(&world).receive_parcel(world.steward().asks(receive("meeting_room"))).await;
    refused(wrong, Code::InvalidArgument, "PACKAGE_ITEM_UNKNOWN");
    let request = receive("parcel_keeping");
    let kept = parcels(&world).receive_parcel(world.steward().asks(request.clone())).await.unwrap().into_inner();
    let again = parcels(&world).receive_parcel(world.steward().asks(request)).await.unwrap().into_inner();
    assert_eq!(kept.encode_to_vec(), again.encode_to_vec());
    let fetched = parcels(&world).receive_parcel(world.steward().asks(receive("parcel_keeping"))).await.unwrap().into_inner();
    let hand = |id: &str| pb::HandOutParcelRequest { request_id: request_id(), parcel_id: id.to_owned(), etag: String::new() };
    parcels(&world).hand_out_parcel(world.steward().asks(hand(&fetched.parcel.unwrap().id))).await.unwrap();

    let id = kept.parcel.unwrap().id;
    let state = async |world: &World| {
        let request = pb::GetParcelRequest { parcel_id: id.clone() };
        parcels(world).get_parcel(world.steward().asks(request)).await.unwrap().into_inner().parcel.unwrap().state()
    };
    world.advance(24 * 60 - 1);
    world.restart().await;
    assert_eq!(state(&world).await, pb::ParcelState::Kept);
    world.advance(1);
    world.until_told("ParcelOverdue", 1).await;
    assert_eq!(state(&world).await, pb::ParcelState::Overdue);
    parcels(&world).hand_out_parcel(world.steward().asks(hand(&id))).await.unwrap();
    refused(parcels(&world).hand_out_parcel(world.steward().asks(hand(&id))).await, Code::FailedPrecondition, "PARCEL_STATE_FORBIDS");
    let late = pb::ListParcelsRequest {
        estate_id: world.estate.to_string(),
        states: vec![pb::ParcelState::HandedOut.into()],
        ..Default::default()
    };
    assert_eq!(parcels(&world).list_parcels(world.steward().asks(late)).await.unwrap().into_inner().parcels.len(), 2);
}

/// What is booked longer before is not booked later; a day outside of the enrolment is none; an item that is not counted is not.
#[tokio::test]
async fn a_use_is_booked_in_time() {
    let world = World::new().await;
    let lead = Some(common::Span { value: 2, unit: common::Unit::Day.into(), calendar: "civil".to_owned() });
    let room = pb::PackageItem { booking_lead: lead, unit_code: "minute".to_owned(), ..item("meeting_room") };
    let package = offer(&world, package_of(&world, "business", vec![room, item("printing")])).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&package, &household, "2026-03-02")).await;
    let ask = |day: &str| world.steward().asks(use_of(&enrolment, 10, day));
    refused(client(&world).record_package_use(ask("2026-03-02")).await, Code::InvalidArgument, "BOOKING_TOO_LATE");
    refused(client(&world).record_package_use(ask("2026-03-01")).await, Code::InvalidArgument, "DATE_INVALID");
    client(&world).record_package_use(ask("2026-03-04")).await.unwrap();
    let other = pb::RecordPackageUseRequest { item_code: "printing".to_owned(), ..use_of(&enrolment, 1, "2026-03-04") };
    refused(client(&world).record_package_use(world.steward().asks(other)).await, Code::InvalidArgument, "PACKAGE_ITEM_UNKNOWN");
}

/// What contradicts itself or the policy is refused with its place; a package changes by the version that was seen, and enrolments keep
/// what they began with.
#[tokio::test]
async fn a_package_is_checked_and_enrolments_keep_theirs() {
    let world = World::under(&[crate::world::BASE, crate::world::UPLIFT]).await;
    let bad = pb::PackageItem { every: pb::Recurrence::Week.into(), times: 31, ..item("a") };
    let bad = vec![bad, item("a"), pb::PackageItem { free_quantity: 1, ..item("b") }];
    let mut client_of = client(&world);
    let request = package_of(&world, "unheard_of", bad);
    let status = client_of.put_service_package(world.manager().asks(request)).await.expect_err("is refused");
    let fields: Vec<String> = crate::world::bad_fields(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["code", "items[0].role", "items[0].times", "items[1].code", "items[2].unit_code", "term_months"]);

    let first = offer(&world, package_of(&world, "elderly", elderly())).await;
    let household = world.households.add(date(2026, 3, 1));
    let enrolment = enrol(&world, enrol_of(&first, &household, "2026-03-01")).await;
    let changed = pb::PutServicePackageRequest { etag: first.etag.clone(), ..package_of(&world, "elderly", vec![item("tea")]) };
    let second = offer(&world, changed).await;
    assert_eq!((second.id.as_str(), second.items.len()), (first.id.as_str(), 1));
    let stale = pb::PutServicePackageRequest { etag: first.etag, ..package_of(&world, "elderly", elderly()) };
    assert_eq!(client_of.put_service_package(world.manager().asks(stale)).await.expect_err("is stale").code(), Code::Aborted);
    let get = pb::GetEnrolmentRequest { enrolment_id: enrolment.id };
    let kept = client(&world).get_enrolment(world.steward().asks(get)).await.unwrap().into_inner().enrolment.unwrap();
    assert_eq!(kept.items.len(), 2);
}

/// A customer enrols the household they live in, sees their own enrolments and no other's; an enrolment that comes again is one.
#[tokio::test]
async fn a_customer_enrols_their_own_household() {
    let world = World::new().await;
    let package = offer(&world, package_of(&world, "elderly", elderly())).await;
    let (mine, other) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    let me = resident(&world, family_member(&mine));
    let stranger = client(&world).enrol(me.asks(enrol_of(&package, &other, "2026-03-01"))).await;
    refused(stranger, Code::NotFound, "HOUSEHOLD_NOT_FOUND");
    let theirs = enrol(&world, enrol_of(&package, &other, "2026-03-01")).await;
    let request = enrol_of(&package, &mine, "2026-03-01");
    let first = client(&world).enrol(me.asks(request.clone())).await.unwrap().into_inner();
    let again = client(&world).enrol(me.asks(request)).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), again.encode_to_vec());
    let list = pb::ListEnrolmentsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let seen = client(&world).list_enrolments(me.asks(list)).await.unwrap().into_inner().enrolments;
    assert_eq!(seen.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [first.enrolment.unwrap().id]);
    let get = pb::GetEnrolmentRequest { enrolment_id: theirs.id };
    refused(client(&world).get_enrolment(me.asks(get)).await, Code::NotFound, "ENROLMENT_NOT_FOUND");
    let past = client(&world).enrol(me.asks(enrol_of(&package, &mine, "2026-02-28"))).await;
    refused(past, Code::InvalidArgument, "DATE_INVALID");
}
