//! What is kept in memory: policies, estates, calendars; and how a write proves that it was true.

use bytes::Bytes;
use steward_kit::Error;
use steward_kit::ids::{EstateId, GroupId, RegionId};
use steward_kit_store::estates::{Estate, EstateDirectory};
use steward_kit_store::policy::{NewPolicyVersion, PolicyScope, PolicyStore};
use steward_kit_store::{Db, epoch};

use crate::support::{SOURCE, World};

async fn estate(world: &World, db: &Db, group: GroupId, region: RegionId) -> EstateId {
    let id = EstateId::new();
    let estate = Estate { id, group_id: group, region_id: region, name: "锦园".into(), time_zone: "Asia/Shanghai".into() };
    let mut conn = db.pool().acquire().await.expect("connects");
    EstateDirectory::new(db.clone()).apply(&mut conn, &estate, world.clock.now()).await.expect("writes");
    id
}

async fn add(world: &World, db: &Db, scope: PolicyScope, text: &'static str, seconds: i64) -> steward_kit::Result<i64> {
    let new = NewPolicyVersion {
        kind: "sla".into(),
        scope,
        document: Bytes::from_static(text.as_bytes()),
        effective_time: world.in_(seconds),
        created_by: "wang".into(),
    };
    let mut conn = db.pool().acquire().await.expect("connects");
    PolicyStore::new(db.clone()).create_version(&mut conn, new, world.clock.now()).await.map(|layer| layer.version)
}

async fn layers(world: &World, policies: &PolicyStore, estate: EstateId, seconds: i64) -> Vec<String> {
    let resolved = policies.resolve("sla", estate, world.in_(seconds)).await.expect("resolves");
    resolved.layers.iter().map(|layer| String::from_utf8_lossy(&layer.document).into_owned()).collect()
}

#[tokio::test]
async fn the_most_specific_version_in_force_comes_first() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let (group, region) = (GroupId::new(), RegionId::new());
    let here = estate(&world, &db, group, region).await;
    let there = estate(&world, &db, GroupId::new(), RegionId::new()).await;
    let policies = PolicyStore::new(db.clone());
    assert!(layers(&world, &policies, here, 0).await.is_empty());
    assert_eq!(add(&world, &db, PolicyScope::Base, "base 1", -100).await.expect("adds"), 1);
    assert_eq!(add(&world, &db, PolicyScope::Group(group), "group 1", -50).await.expect("adds"), 1);
    assert_eq!(add(&world, &db, PolicyScope::Region(region), "region 1", -50).await.expect("adds"), 1);
    assert_eq!(add(&world, &db, PolicyScope::Estate(here), "estate 1", -50).await.expect("adds"), 1);
    assert_eq!(add(&world, &db, PolicyScope::Group(group), "group 2", -20).await.expect("adds"), 2);
    assert_eq!(add(&world, &db, PolicyScope::Group(group), "group 3, from tomorrow", 86_400).await.expect("adds"), 3);
    policies.refresh().await.expect("asks");
    assert_eq!(layers(&world, &policies, here, 0).await, ["estate 1", "region 1", "group 2", "base 1"]);
    assert_eq!(layers(&world, &policies, here, -30).await, ["estate 1", "region 1", "group 1", "base 1"]);
    assert_eq!(layers(&world, &policies, here, 90_000).await[2], "group 3, from tomorrow");
    assert_eq!(layers(&world, &policies, here, -70).await, ["base 1"]);
    assert_eq!(layers(&world, &policies, there, 0).await, ["base 1"]);
    assert!(matches!(policies.resolve("sla", EstateId::new(), world.in_(0)).await, Err(Error::NotFound { .. })));

    let bound = policies.resolve("sla", here, world.in_(0)).await.expect("resolves").layers[0].clone();
    assert_eq!(policies.version(bound.id).await.expect("reads"), bound);
    let history = policies.versions("sla", PolicyScope::Group(group), Some(3), 10).await.expect("lists");
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_added_at_once_are_numbered_without_gap_or_double() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let added = futures::future::join_all((0..12).map(|_| add(&world, &db, PolicyScope::Base, "x", 0))).await;
    let mut numbers: Vec<i64> = added.into_iter().map(|version| version.expect("adds")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_that_was_decided_by_a_stale_policy_writes_nothing_until_it_is_decided_again() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let here = estate(&world, &db, GroupId::new(), RegionId::new()).await;
    add(&world, &db, PolicyScope::Base, "old", -10).await.expect("adds");
    let policies = PolicyStore::new(db.clone());
    let decided = policies.resolve("sla", here, world.in_(0)).await.expect("resolves");
    // Another replica adds a version; this one has not heard of it.
    add(&world, &world.replica(SOURCE).await, PolicyScope::Base, "new", -5).await.expect("adds");
    assert_eq!(layers(&world, &policies, here, 0).await, ["old"], "memory is behind");
    let guarded = "INSERT INTO probe.notes (key) SELECT 'x' FROM work_order.policy_epoch WHERE epoch = $1";
    let written = sqlx::query(guarded).bind(decided.epoch).execute(db.pool()).await.expect("runs");
    assert_eq!(written.rows_affected(), 0);
    policies.refresh().await.expect("asks");
    let decided = policies.resolve("sla", here, world.in_(0)).await.expect("resolves");
    assert_eq!(&decided.layers[0].document[..], b"new");
    let written = sqlx::query(guarded).bind(decided.epoch).execute(db.pool()).await.expect("runs");
    assert_eq!(written.rows_affected(), 1);
}

#[tokio::test]
async fn the_app_role_can_not_change_a_version() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    add(&world, &db, PolicyScope::Base, "x", 0).await.expect("adds");
    for sql in ["UPDATE work_order.policies SET document = ''", "DELETE FROM work_order.policies", "TRUNCATE work_order.policies"] {
        let refused = sqlx::query(sql).execute(db.pool()).await.expect_err("refused");
        assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{sql}");
    }
}

#[tokio::test]
async fn an_estate_that_moved_to_another_region_is_seen_by_every_replica_at_the_next_epoch() {
    let world = World::new().await;
    let (db, other) = (world.replica(SOURCE).await, world.replica(SOURCE).await);
    let (group, region) = (GroupId::new(), RegionId::new());
    let id = estate(&world, &db, group, region).await;
    let seen = EstateDirectory::new(other.clone());
    assert_eq!(seen.get(id).await.expect("known").region_id, region);
    let moved = Estate { region_id: RegionId::new(), ..seen.get(id).await.expect("known").as_ref().clone() };
    let mut conn = db.pool().acquire().await.expect("connects");
    let directory = EstateDirectory::new(db.clone());
    directory.apply(&mut conn, &moved, world.clock.now()).await.expect("writes");
    let before = epoch::refresh(&db).await.expect("asks");
    directory.apply(&mut conn, &moved, world.clock.now()).await.expect("writes");
    assert_eq!(epoch::refresh(&db).await.expect("asks"), before, "the same again changes nothing");
    assert_eq!(seen.get(id).await.expect("known").region_id, region, "memory is behind");
    epoch::refresh(&other).await.expect("asks");
    assert_eq!(seen.get(id).await.expect("known").region_id, moved.region_id);
    // One that is new is found without anybody asking for the epoch.
    let new = estate(&world, &db, group, region).await;
    assert_eq!(seen.get(new).await.expect("found").id, new);
    assert!(matches!(seen.get(EstateId::new()).await, Err(Error::NotFound { .. })));
    let no_zone = Estate { time_zone: "Asia/Nowhere".into(), ..moved };
    assert!(directory.apply(&mut conn, &no_zone, world.clock.now()).await.is_err());
}
