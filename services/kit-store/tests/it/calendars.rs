//! Calendars that operators load: once, in one service, and known by every other.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use steward_kit::calendar::{Calendars, HolidayYear, WorkingHours, YearState};
use steward_kit::ids::{EstateId, GroupId, RegionId};
use steward_kit_store::calendars::{self, CalendarStore, HoursVersion, LoadedYear, NewHours};
use steward_kit_store::estates::Estate;
use steward_kit_store::inbox::{Consumer, ConsumerOptions, EventHandler as _};
use steward_kit_store::policy::PolicyScope;
use steward_kit_store::{Db, Effects, NewEvent, epoch};
use steward_proto::event::v1::Event;

use crate::events::{quick_consumer, quick_relay, relay};
use crate::support::{Running, SINK, SOURCE, World, commit, eventually};

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

/// 2026 as it ships, with further days off.
fn year_with(days: &[&str], region: Option<RegionId>) -> HolidayYear {
    let mut document = match Calendars::shipped().years().state(2026) {
        YearState::Announced(year) => year.to_json(),
        YearState::NotAnnounced => panic!("2026 ships"),
    };
    if let Some(region) = region {
        document["region"] = serde_json::json!(region.to_string());
    }
    let all = document["days"].as_array_mut().expect("days");
    all.extend(days.iter().map(|date| serde_json::json!({ "name": "加", "date": date, "isOffDay": true })));
    HolidayYear::parse(&document.to_string()).expect("a year")
}

fn loaded(year: HolidayYear, load_time: Timestamp) -> LoadedYear {
    LoadedYear { year, load_time, loaded_by: "wang".to_owned() }
}

async fn working_days(db: &Db) -> u32 {
    epoch::refresh(db).await.expect("asks");
    let current = CalendarStore::new(db.clone()).current().await.expect("reads");
    current.calendars.working_days(date("2026-01-01"), date("2026-12-31")).0
}

/// Loads a year as work-order does: the row and the fact in one transaction.
async fn load(db: &Db, loaded: &LoadedYear) -> NewEvent {
    let fact = CalendarStore::year_fact(loaded);
    let mut tx = db.begin().await.expect("begins");
    CalendarStore::new(db.clone()).apply_year(&mut tx, loaded).await.expect("loads");
    let effects = Effects { events: vec![fact.clone()], ..Effects::none() };
    effects.write(db, &mut tx, loaded.load_time).await.expect("writes");
    tx.commit().await.expect("commits");
    db.wake(&effects);
    fact
}

fn hearing(world: &World, db: &Db) -> Running {
    let options = ConsumerOptions { attempts: 2, ..quick_consumer() };
    let consumer = Consumer::with(
        db.clone(),
        world.clock.clone(),
        calendars::SOURCE,
        calendars::CONSUMER,
        Arc::new(CalendarStore::new(db.clone())),
        options,
    );
    Running::start(|stop| consumer.run(stop))
}

/// XC-20: what an operator loads in one service is known in the others, whole, and the latest load holds.
#[tokio::test]
async fn a_year_that_is_loaded_once_is_known_by_every_service() {
    let world = World::new().await;
    let (db, sink) = (world.replica(SOURCE).await, world.replica(SINK).await);
    let (relaying, heard) = (relay(&world, &db, quick_relay()), hearing(&world, &sink));
    assert_eq!((working_days(&db).await, working_days(&sink).await), (248, 248));
    load(&db, &loaded(year_with(&["2026-12-01"], None), world.clock.now())).await;
    assert_eq!(working_days(&db).await, 247);
    eventually(Duration::from_secs(10), || async { working_days(&sink).await == 247 }).await;
    let later = world.clock.now() + SignedDuration::from_mins(1);
    load(&db, &loaded(year_with(&["2026-12-01", "2026-12-02"], None), later)).await;
    eventually(Duration::from_secs(10), || async { working_days(&sink).await == 246 }).await;
    assert_eq!(
        CalendarStore::new(sink.clone()).loaded_years().await.expect("reads"),
        CalendarStore::new(db.clone()).loaded_years().await.expect("reads")
    );
    heard.stop().await;
    relaying.stop().await;
}

/// XC-20, XC-60: late and repeated facts change nothing; one that was tampered with is not taken in.
#[tokio::test]
async fn an_older_year_that_comes_late_changes_nothing() {
    let world = World::new().await;
    let sink = world.replica(SINK).await;
    let (first, second) = (world.clock.now(), world.clock.now() + SignedDuration::from_mins(1));
    let old = CalendarStore::year_fact(&loaded(year_with(&["2026-12-01"], None), first));
    let new = CalendarStore::year_fact(&loaded(year_with(&["2026-12-01", "2026-12-02"], None), second));
    for (fact, days, changes) in [(&new, 246, true), (&old, 246, false), (&new, 246, false)] {
        let before = epoch::refresh(&sink).await.expect("asks");
        hear(&sink, event(fact)).await.expect("takes it in");
        assert_eq!((working_days(&sink).await, epoch::refresh(&sink).await.expect("asks") > before), (days, changes));
    }
    let mut forged: steward_proto::work_order::v1::CalendarYearLoaded =
        event(&new).payload.expect("a payload").to_msg().expect("of this type");
    forged.days.pop();
    forged.load_time = None;
    let fact = NewEvent::new(uuid::Uuid::now_v7(), None, second, &forged);
    hear(&sink, event(&fact)).await.expect_err("the document is not the one that was loaded");
}

async fn hear(db: &Db, event: Event) -> steward_kit::Result<()> {
    let mut tx = db.begin().await?;
    CalendarStore::new(db.clone()).apply(&mut tx, &event, Timestamp::UNIX_EPOCH).await?;
    tx.commit().await.expect("commits");
    Ok(())
}

/// A fact as it arrives.
fn event(fact: &NewEvent) -> Event {
    let type_url = format!("type.googleapis.com/{}", fact.kind);
    Event {
        id: fact.id.to_string(),
        r#type: fact.kind.clone(),
        subject: fact.subject_id.to_string(),
        payload: Some(prost_types::Any { type_url, value: fact.payload.clone() }),
        ..Event::default()
    }
}

/// XC-22: of working hours the most specific scope holds for an estate, in its newest version, and everybody hears of them.
#[tokio::test]
async fn working_hours_hold_by_scope_and_version_in_every_service() {
    let world = World::new().await;
    let (db, sink) = (world.replica(SOURCE).await, world.replica(SINK).await);
    let (relaying, heard) = (relay(&world, &db, quick_relay()), hearing(&world, &sink));
    let (group, region) = (GroupId::new(), RegionId::new());
    let estate =
        |region_id| Estate { id: EstateId::new(), group_id: group, region_id, name: "锦园".into(), time_zone: "Asia/Shanghai".into() };
    let (here, there) = (estate(region), estate(RegionId::new()));
    add(&world, &db, PolicyScope::Base, "09:00-17:00").await;
    add(&world, &db, PolicyScope::Region(region), "09:00-18:00").await;
    assert_eq!(add(&world, &db, PolicyScope::Region(region), "08:00-18:00").await.version, 2);
    for service in [&db, &sink] {
        eventually(Duration::from_secs(10), || async { CalendarStore::new(service.clone()).hours().await.expect("reads").len() == 2 })
            .await;
        eventually(Duration::from_secs(10), || async { window(service, &here).await == "08:00-18:00" }).await;
        assert_eq!(window(service, &there).await, "09:00-17:00");
    }
    assert!(CalendarStore::new(db.clone()).for_scopes(&[PolicyScope::Group(group)]).await.expect("reads").calendars.hours("desk").is_err());
    heard.stop().await;
    relaying.stop().await;
}

async fn add(world: &World, db: &Db, scope: PolicyScope, window: &str) -> HoursVersion {
    let hours: WorkingHours =
        serde_json::from_value(serde_json::json!({"name": "business", "windows": [{"days": "working", "hours": window}]})).expect("hours");
    let (store, now) = (CalendarStore::new(db.clone()), world.clock.now());
    let mut tx = db.begin().await.expect("begins");
    let version = store.load_hours(&mut tx, &NewHours { hours, scope }, "wang", now).await.expect("loads");
    tx.commit().await.expect("commits");
    let fact = CalendarStore::hours_fact(&version).expect("a fact");
    commit(db, &Effects { events: vec![fact], ..Effects::none() }, now).await;
    version
}

async fn window(db: &Db, estate: &Estate) -> String {
    let current = CalendarStore::new(db.clone()).for_estate(estate).await.expect("reads");
    current.calendars.hours("business").map(|hours| hours.windows()[0].hours.to_string()).unwrap_or_default()
}
