//! What people wrote stands sealed in the database, and outlives the keys it was sealed by.

use jiff::civil::date;
use steward_kit::predicate::Fact;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::common::v1 as common;

use crate::obligations::{check, obligation, set_date};
use crate::visiting::{create, make_visit, round_of, train, verb, visits};
use crate::world::{World, eventually, request_id, stamp};

const SECOND: &str = "2=2222222222222222222222222222222222222222222222222222222222222222";

/// Words that nobody but the household and the staff should read.
const SAID: [&str; 6] = [
    "asks for the doctor",
    "draughty window of Mrs Wang",
    "uses a wheelchair",
    "carry the bags of Mr Li",
    "was glad to see us",
    "Wu left tools",
];

/// Writes each of [`SAID`] somewhere. The ids of the visit, the touchpoint and the obligation; and the request of the form.
async fn say_it_all(world: &World) -> (String, String, String, pb::SubmitVisitFormRequest) {
    let household = world.households.add(date(2025, 1, 1));
    let round = create(world, round_of(world, pb::RoundKind::General, ("2026-03-01", "2026-03-31"))).await;
    train(world, &round.id, "wang", "steward").await;
    let visit = visits(world, &round.id).await.remove(0);
    make_visit(world, &visit.id, "wang", "2026-03-02T02:00:00Z", 35).await;
    let issue = pb::VisitIssue {
        kind: common::WorkOrderKind::Repair.into(),
        category: "windows".to_owned(),
        description: SAID[1].to_owned(),
        ..Default::default()
    };
    let form = pb::VisitForm { note: SAID[0].to_owned(), issues: vec![issue], ..Default::default() };
    let submit = pb::SubmitVisitFormRequest { request_id: request_id(), visit_id: visit.id.clone(), etag: String::new(), form: Some(form) };
    world.visits().submit_visit_form(world.steward().asks(submit.clone())).await.unwrap();

    let task = ActionKind::Task(pb::TaskAction { role: "steward".to_owned(), instructions: SAID[3].to_owned() });
    let request = pb::CreateTouchpointRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household.id.to_string(),
        unit_id: household.unit.to_string(),
        definition_code: "help".to_owned(),
        layer: pb::CareLayer::Premium.into(),
        action: Some(pb::Action { kind: Some(task) }),
        due_time: stamp("2026-03-03T01:00:00Z"),
        individual_reason: SAID[2].to_owned(),
        ..Default::default()
    };
    world.touchpoints().create_touchpoint(world.manager().asks(request)).await.unwrap();
    world.go_to("2026-03-03T01:00:00Z");
    let due = world.until(household.id, pb::TouchpointState::Due).await;
    let execute = pb::ExecuteTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: due.id.clone(),
        note: SAID[4].to_owned(),
        ..Default::default()
    };
    world.touchpoints().execute_touchpoint(world.steward().asks(execute)).await.unwrap();

    set_date(world, "sale_start", "2026-04-10").await;
    let site = obligation(world, "sales_site_check").await;
    check(world, &site.id, "sales_site_rectified", "photo/1", SAID[5]).await.unwrap();
    (visit.id, due.id, site.id, submit)
}

async fn reads_back(world: &World, visit: &str, touchpoint: &str) {
    let get = pb::GetVisitRequest { visit_id: visit.to_owned() };
    let form = world.visits().get_visit(world.manager().asks(get)).await.unwrap().into_inner().visit.unwrap().form.unwrap();
    assert_eq!((form.note.as_str(), form.issues[0].description.as_str()), (SAID[0], SAID[1]));
    let get = pb::GetTouchpointRequest { touchpoint_id: touchpoint.to_owned() };
    let done = world.touchpoints().get_touchpoint(world.manager().asks(get)).await.unwrap().into_inner().touchpoint.unwrap();
    assert_eq!((done.individual_reason.as_str(), done.note.as_str()), (SAID[2], SAID[4]));
    assert_eq!(obligation(world, "sales_site_check").await.items[0].finding, SAID[5]);
}

/// XC-45: no table of the schema shows what was written, the answers that are kept for repetitions and the outbox among them; whoever may
/// read it reads it, also after a change that is about something else.
#[tokio::test]
async fn a_look_at_the_database_shows_none_of_what_was_written() {
    let world = World::new().await;
    let (visit, touchpoint, _, submit) = say_it_all(&world).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'care' AND tablename NOT LIKE '%sqlx%'",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let mut seen = 0;
    for table in tables {
        let sql = format!("SELECT row_to_json(t)::text FROM {table} t");
        for row in sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql)).fetch_all(&world.db).await.unwrap() {
            seen += 1;
            for said in SAID {
                assert!(!row.contains(said) && !row.contains(&hex::encode(said)), "{table}: {row}");
            }
        }
    }
    assert!(seen > 10, "the tables are not empty");
    reads_back(&world, &visit, &touchpoint).await;
    let confirm = pb::ConfirmTouchpointRequest { request_id: request_id(), touchpoint_id: touchpoint.clone(), ..Default::default() };
    world.touchpoints().confirm_touchpoint(world.steward().asks(confirm)).await.unwrap();
    set_date(&world, "sale_start", "2026-04-12").await;
    reads_back(&world, &visit, &touchpoint).await;
    // A repetition answers what was answered.
    let again = world.visits().submit_visit_form(world.steward().asks(submit)).await.unwrap().into_inner().visit.unwrap();
    assert_eq!(again.form.unwrap().note, SAID[0]);
}

/// XC-45: after a rotation the old key is removed, and everything that was written still opens.
#[tokio::test]
async fn after_a_rotation_the_old_key_is_removed_and_texts_still_open() {
    let mut world = World::new().await;
    let (visit, touchpoint, _, submit) = say_it_all(&world).await;
    let first = {
        use secrecy::ExposeSecret;
        world.config.groups.crypto.keyring.as_ref().unwrap().expose_secret().to_owned()
    };
    let both = first.replace("current=1", &format!("{SECOND}\ncurrent=2"));
    assert_ne!(first, both);
    world.restart_with_keyring(&both).await;
    let db = world.db.clone();
    let old = "SELECT (SELECT count(*) FROM care.touchpoints WHERE substring(texts FROM 1 FOR 5) = '\\x0100000001')
                    + (SELECT count(*) FROM care.visits WHERE substring(texts FROM 1 FOR 5) = '\\x0100000001')
                    + (SELECT count(*) FROM care.visit_rounds WHERE substring(texts FROM 1 FOR 5) = '\\x0100000001')
                    + (SELECT count(*) FROM care.obligations WHERE substring(texts FROM 1 FOR 5) = '\\x0100000001')
                    + (SELECT count(*) FROM care.idempotency_claims WHERE substring(response FROM 1 FOR 5) = '\\x0100000001')";
    eventually("nothing to be under the old key", || async {
        let left: i64 = sqlx::query_scalar(old).fetch_one(&db).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    let without_the_first: String = both.lines().filter(|line| !line.starts_with("1=")).map(|line| format!("{line}\n")).collect();
    assert_ne!(without_the_first, both);
    world.restart_with_keyring(&without_the_first).await;
    reads_back(&world, &visit, &touchpoint).await;
    let again = world.visits().submit_visit_form(world.steward().asks(submit)).await.unwrap().into_inner().visit.unwrap();
    assert_eq!(again.form.unwrap().issues[0].description, SAID[1]);
}

/// CA-44: the brief is one question about one household, however large the estate is.
#[tokio::test]
async fn a_brief_asks_about_its_household_only() {
    let world = World::new().await;
    let household = world.households.add(date(2025, 1, 1));
    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "steward").await;
    let visit = visits(&world, &round.id).await.remove(0);
    crate::visiting::schedule(&world, &visit.id, "wang", "2026-03-02T02:00:00Z").await.unwrap();
    for _ in 0..50 {
        world.households.add(date(2025, 1, 1));
    }
    world.households.set(household.id, "household.moved_in_date", Fact::Date(date(2025, 2, 1)));
    let pages = world.households.pages();
    let brief = verb!(world, read_visit_brief, ReadVisitBriefRequest, visit.id).unwrap().into_inner();
    assert_eq!(world.households.pages(), pages, "no page of the estate");
    assert_eq!(brief.facts["household.moved_in_date"], "2025-02-01");
    assert_eq!((brief.facts["household.occupancy"].as_str(), brief.facts["household.is_renovating"].as_str()), ("occupied", "false"));
    assert!(brief.visit.unwrap().brief_read_time.is_some());
}
