//! Pages of broadcasts through crashes, doubles and other writers; and what one costs.

use steward_harness::Asked;
use steward_proto::notification::v1 as pb;

use crate::broadcasts::{begin, broadcast, get, hold_lists, move_in, notice, told, until, until_listed, with_notice};
use crate::world::{World, eventually};

/// NT-40, NT-45: a process that dies after it wrote a page and in the middle of the next one loses and doubles nothing: the next
/// process goes on with that page when the lease is over.
#[tokio::test]
async fn a_broadcast_survives_the_death_of_its_worker() {
    let mut world = with_notice(pb::MessageClass::Service).await;
    move_in(&world, world.estate, 2010);
    let gate = hold_lists(&world);
    let mut service = world.mortal().await;
    let made = begin(&world, broadcast(&world)).await;
    for page in 0..=2 {
        let listed = world.situations.1.lock().unwrap().listed;
        until_listed(&world, listed.max(1)).await;
        assert_eq!(told(&world, &made.id).await.len(), page * 1000, "page {page} is being made");
        drop(service);
        service = world.mortal().await;
        world.advance(121);
        until_listed(&world, listed.max(1) + 1).await;
        if page < 2 {
            gate.add_permits(1);
            until_listed(&world, listed.max(1) + 2).await;
        }
    }
    gate.add_permits(100);
    let (done, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!((told(&world, &made.id).await.len(), report.told_already_count), (2010, 0));
    assert_eq!((done.progress.unwrap().page_count, report.household_count), (3, 2010));
    sums_of_rows(&world, 2010).await;
    drop(service);
}

/// Each message with its key, its delivery, its place in the inbox, its line in the ledger, its fact: none missing, none twice.
async fn sums_of_rows(world: &World, people: i64) {
    let pool = world.database.superuser().await.unwrap();
    for table in ["messages", "message_keys", "deliveries", "contact_entries"] {
        let sql = format!("SELECT count(*) FROM notification.{table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        assert_eq!(count, people, "{table}");
    }
    let sql = "SELECT count(*), count(DISTINCT subject_id) FROM notification.outbox WHERE type LIKE '%MessageDelivered'";
    let facts: (i64, i64) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
    assert_eq!(facts, (people, people));
    eventually("the inbox", || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.inbox_items").fetch_one(&pool).await.unwrap();
        (count == people).then_some(())
    })
    .await;
}

/// NT-40: two replicas at work on one broadcast: one of them writes each page, and the other looks again.
#[tokio::test]
async fn two_workers_at_once_tell_everybody_once() {
    let world = with_notice(pb::MessageClass::Service).await;
    move_in(&world, world.estate, 2010);
    let gate = hold_lists(&world);
    let made = begin(&world, broadcast(&world)).await;
    until_listed(&world, 1).await;
    // By its clock the lease of the first worker is over.
    let replica = world.replica_ahead(121).await;
    until_listed(&world, 2).await;
    gate.add_permits(100);
    let (done, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!((told(&world, &made.id).await.len(), done.progress.unwrap().page_count), (2010, 3));
    assert_eq!((report.household_count, report.told_already_count), (2010, 0));
    sums_of_rows(&world, 2010).await;
    replica.stop().await.unwrap();
}

/// NT-13, NT-37: of two broadcasts that count the same households at once, each page is judged again when the other counted first: a
/// cap of one lets one of them through to each household.
#[tokio::test]
async fn two_broadcasts_share_the_caps() {
    let world = with_notice(pb::MessageClass::Survey).await;
    move_in(&world, world.estate, 300);
    let gate = hold_lists(&world);
    let (one, other) = (begin(&world, broadcast(&world)).await, begin(&world, broadcast(&world)).await);
    until_listed(&world, 2).await;
    gate.add_permits(2);
    let mut delivered = 0;
    for id in [&one.id, &other.id] {
        until(&world, id, pb::BroadcastState::Done).await;
        delivered += told(&world, id).await.iter().filter(|(_, state)| state == "delivered").count();
    }
    assert_eq!(delivered, 300);
    let pool = world.database.superuser().await.unwrap();
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.contacts").fetch_one(&pool).await.unwrap();
    assert_eq!(counted, 300);
}

/// DESIGN §4: a page costs the same few trips whatever it holds: facts, who was told before, the ledger where caps count, the page.
#[tokio::test]
async fn a_page_costs_a_few_trips() {
    for (class, standing) in [(pb::MessageClass::Service, 0), (pb::MessageClass::Survey, 2)] {
        let asked = Asked::default();
        let world = World::noted(&asked).await;
        notice(&world, class).await;
        move_in(&world, world.estate, 1010);
        asked.take();
        let made = begin(&world, broadcast(&world)).await;
        until(&world, &made.id, pb::BroadcastState::Done).await;
        let statements = asked.take();
        let times = |part: &str| statements.iter().filter(|sql| sql.contains(part)).count();
        assert_eq!(times("INSERT INTO notification.messages"), 2, "a page is one statement");
        assert_eq!(times("unnest($1::uuid[]) AS w(id)"), 2, "facts of a page at once");
        assert_eq!(times("FROM notification.message_keys WHERE key = ANY"), 1, "from the second page on");
        assert_eq!(times("FROM notification.contact_counts"), standing, "where caps count");
        assert_eq!(times("FROM notification.broadcast_estates WHERE broadcast_id"), 1, "once to begin");
        assert_eq!(world.situations.1.lock().unwrap().listed, 2);
        assert_eq!(get(&world, &made.id).await.1.household_count, 1010);
    }
}
