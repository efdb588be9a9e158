//! Figures that were counted before are those that counting now would give, whatever was written meanwhile, by whom, and whatever
//! time it is (`kit-store/docs/rollups.md`).

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use sqlx::PgPool;
use steward_harness::rollups::{KeptCounts, without_time};
use steward_kit::metric::{Owner, metrics};
use steward_proto::customer::v1 as pb;
use steward_proto::metric::v1 as metric;
use uuid::Uuid;

use crate::exits::{end, record};
use crate::imports::{apply, until, upload};
use crate::world::{Caller, World, eventually, request_id};
use pb::ExitKind::{ClubLapsed, ContractEnded, MovedOut};
use pb::TenureRole::{Owner as OwnerOf, Tenant};

/// The middle of the month that is asked about, in Shanghai; estates were registered the month before.
const MIDDLE: &str = "2026-07-15T02:00:00Z";

/// Two estates in a month under way, and the board of it.
struct Boards {
    world: World,
    ops: Caller,
    db: PgPool,
    here: pb::Estate,
    there: pb::Estate,
    seen: Vec<metric::MetricValue>,
}

impl Boards {
    async fn new() -> Result<Self> {
        let world = World::new().await?;
        let (ops, db) = (world.operations(), world.database.superuser().await?);
        let (here, there) = (ops.estate("JX").await?, ops.estate("BJ").await?);
        world.clock.set(MIDDLE.parse::<Timestamp>()?);
        let mut board = Self { world, ops, db, here, there, seen: Vec::new() };
        board.seen = board.board().await?;
        board.spoil().await?;
        Ok(board)
    }

    fn kept(&self) -> KeptCounts<'_> {
        KeptCounts { db: &self.db, schema: "customer" }
    }

    /// Every metric of this service in July, of both estates and the group.
    async fn board(&self) -> Result<Vec<metric::MetricValue>> {
        let own = metrics().iter().filter(|one| one.owner == Owner::Customer);
        let definition = |id: &str| metric::MetricDefinition {
            metric_id: id.to_owned(),
            version: 1,
            period: metric::MetricPeriodKind::Days.into(),
            ..Default::default()
        };
        let request = metric::ComputeMetricsRequest {
            estate_ids: [&self.here, &self.there].map(|estate| estate.id.clone()).to_vec(),
            period: Some(metric::MetricPeriod { from_date: "2026-07-01".into(), to_date: "2026-07-31".into() }),
            plan_code: "test".to_owned(),
            definitions: own.map(|one| definition(one.id)).collect(),
            ..Default::default()
        };
        Ok(without_time(self.ops.metrics().compute_metrics(self.ops.ask(request)).await?.into_inner().values))
    }

    async fn spoil(&self) -> Result<()> {
        for estate in [&self.here, &self.there] {
            self.kept().spoil(estate.id.parse::<Uuid>()?).await;
        }
        Ok(())
    }

    /// After a change a board is another than before, and what counting from the rows gives for each estate that is another; the next change
    /// finds spoilt counts.
    async fn follows(&mut self, what: &str) -> Result<()> {
        let shown = self.board().await?;
        self.kept().forget().await;
        let counted = self.board().await?;
        assert_eq!(self.board().await?, counted, "what is kept of {what}");
        let changed: BTreeSet<&str> =
            counted.iter().zip(&self.seen).filter(|(now, before)| now != before).map(|(now, _)| now.estate_id.as_str()).collect();
        assert!(!changed.is_empty(), "{what} changes something");
        for (shown, counted) in shown.iter().zip(&counted).filter(|(_, counted)| !counted.estate_id.is_empty()) {
            assert!(!changed.contains(counted.estate_id.as_str()) || shown == counted, "{what}: {shown:?} is not {counted:?}");
        }
        self.seen = counted;
        self.spoil().await
    }

    async fn by_hand(&self, sql: &'static str, id: &str) -> Result<()> {
        let written = sqlx::query(sql).bind(id.parse::<Uuid>()?).execute(&self.db).await?;
        assert!(written.rows_affected() > 0, "{sql}");
        Ok(())
    }

    /// Above and below the line: here, there, and in the group.
    fn shown(&self, id: &str) -> Vec<(i64, i64)> {
        self.seen.iter().filter(|value| value.metric_id == id).map(|value| (value.numerator, value.denominator)).collect()
    }

    async fn update_phone(&self, customer: &pb::Customer, phone: &str) -> Result<()> {
        let request = pb::UpdateCustomerRequest {
            request_id: request_id(),
            customer_id: customer.id.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["phone".into()] }),
            phone: phone.into(),
            ..Default::default()
        };
        self.ops.customers().update_customer(self.ops.ask(request)).await?;
        Ok(())
    }

    async fn import(&self, file: &str) -> Result<()> {
        let import = upload(&self.ops, &self.here, file.as_bytes()).await?;
        let planned = until(&self.ops, &import.id, pb::EstateImportState::Planned).await?;
        apply(&self.ops, &planned).await?;
        until(&self.ops, &import.id, pb::EstateImportState::Applied).await?;
        Ok(())
    }
}

/// M8: after every kind of write the board is what the rows say, though each time what was kept before had been spoilt. F-13b: who has two
/// estates counts in each, and once in the group.
#[tokio::test]
async fn a_board_follows_every_write() -> Result<()> {
    let mut board = Boards::new().await?;
    let ops = board.ops.clone();
    let (here, there) = (board.here.clone(), board.there.clone());

    let home = ops.unit(&here, "101").await?;
    board.follows("a home").await?;
    let owner = ops.person(&here, "王芳", "19900000001").await?;
    board.follows("a customer").await?;
    let second = ops.person(&here, "李雷", "19900000001").await?;
    board.follows("a second one with the same phone").await?;
    assert_eq!(board.shown("data_quality_dup_rate"), [(1, 2), (0, 0), (1, 2)]);
    board.update_phone(&second, "19900000002").await?;
    board.follows("with another one").await?;
    let tenure = ops.tenure(&home, &owner, OwnerOf, ("2020-01-01", "")).await?;
    board.follows("an owner").await?;
    let away = ops.unit(&there, "201").await?;
    board.follows("a home elsewhere").await?;
    ops.tenure(&away, &owner, OwnerOf, ("2020-01-01", "")).await?;
    board.follows("the same owner").await?;
    assert_eq!(board.shown("churn_rate"), [(0, 1); 3], "who has two estates is one customer of the group");
    assert_eq!(board.shown("data_quality_completeness"), [(1, 1), (1, 1), (2, 2)]);

    board.update_phone(&owner, "").await?;
    board.follows("out of reach").await?;
    assert_eq!(board.shown("data_quality_completeness"), [(0, 1), (0, 1), (0, 2)], "in whichever estate");
    board.update_phone(&owner, "19900000003").await?;
    board.follows("within reach").await?;
    board.by_hand("UPDATE customer.customers SET phone_state = 'invalid' WHERE id = $1", &owner.id).await?;
    board.follows("a wrong number").await?;
    board.by_hand("UPDATE customer.customers SET phone_state = 'valid' WHERE id = $1", &owner.id).await?;
    board.follows("a right one").await?;

    ops.exits().record_exit(ops.ask(record(&there, &owner.id, ClubLapsed, "2026-07-10"))).await?;
    board.follows("a membership lapsed").await?;
    assert_eq!(board.shown("churn_rate"), [(0, 1), (1, 1), (1, 1)], "lost somewhere is lost");
    ops.tenures().end_tenure(ops.ask(end(&tenure, "2026-07-15", MovedOut))).await?;
    board.follows("moved out").await?;
    ops.tenures().end_tenure(ops.ask(end(&tenure, "2026-08-01", pb::ExitKind::Unspecified))).await?;
    board.follows("but not yet").await?;
    board.by_hand("UPDATE customer.exits SET exit_date = '2026-07-01' WHERE estate_id = $1", &here.id).await?;
    board.follows("long ago").await?;
    board.by_hand("UPDATE customer.exits SET kind = 'commercial_tenant_left' WHERE estate_id = $1", &here.id).await?;
    board.follows("for another reason").await?;
    board.by_hand("DELETE FROM customer.exits WHERE estate_id = $1", &here.id).await?;
    board.follows("never").await?;
    ops.exits().record_exit(ops.ask(record(&there, "", ContractEnded, "2026-07-11"))).await?;
    board.follows("an estate is lost").await?;
    assert_eq!(board.shown("estate_churn"), [(0, 1), (1, 1), (1, 2)]);
    board.by_hand("UPDATE customer.exits SET exit_date = '2026-06-20' WHERE estate_id = $1 AND customer_id IS NULL", &there.id).await?;
    board.follows("before the month").await?;
    board.by_hand("UPDATE customer.exits SET exit_date = '2026-07-09' WHERE estate_id = $1 AND customer_id IS NULL", &there.id).await?;
    board.follows("and in it").await?;
    board.by_hand("UPDATE customer.units SET area_square_metres = 90 WHERE estate_id = $1", &there.id).await?;
    board.follows("its area").await?;
    board.by_hand("UPDATE customer.estates SET unit_count = 5 WHERE id = $1", &here.id).await?;
    board.follows("homes of an estate").await?;
    board.by_hand("UPDATE customer.estates SET create_time = '2026-07-02Z' WHERE id = $1", &here.id).await?;
    board.follows("an estate of this month").await?;

    let ahead = pb::UpdateUnitRequest {
        request_id: request_id(),
        unit_id: home.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["delivery_date".into()] }),
        delivery_date: "2026-12-01".into(),
        ..Default::default()
    };
    ops.units().update_unit(ops.ask(ahead)).await?;
    board.follows("a home that is not handed over").await?;
    board.by_hand("UPDATE customer.units SET delivery_date = NULL, occupancy = 'vacant' WHERE id = $1", &home.id).await?;
    board.follows("or is").await?;
    board.by_hand("UPDATE customer.units SET occupancy = 'undelivered' WHERE id = $1", &home.id).await?;
    board.follows("or is not").await?;
    board.by_hand("UPDATE customer.units SET occupancy = 'occupied' WHERE id = $1", &home.id).await?;
    board.follows("or is after all").await?;

    board.by_hand("UPDATE customer.tenures SET role = 'tenant' WHERE id = $1", &tenure.id).await?;
    board.follows("a tenant").await?;
    board.by_hand("UPDATE customer.tenures SET from_date = '2026-07-02' WHERE id = $1", &tenure.id).await?;
    board.follows("who came later").await?;
    board.by_hand("UPDATE customer.tenures SET to_date = '2026-07-14' WHERE id = $1", &tenure.id).await?;
    board.follows("and left").await?;
    ops.tenure(&home, &second, Tenant, ("2020-01-01", "2026-07-14")).await?;
    board.follows("somebody else").await?;
    board.by_hand("DELETE FROM customer.tenures WHERE customer_id = $1", &second.id).await?;
    board.follows("not so").await?;
    board.by_hand("UPDATE customer.customers SET home_estate_id = $1 WHERE kind = 'person'", &there.id).await?;
    board.follows("at home elsewhere").await?;

    board.import("building,unit,customer_name,phone,role,from_date\n7,101,韩梅,19900000007,owner,2020-01-01\n").await?;
    board.follows("an import").await?;
    board.import("building,unit,customer_name,phone,role,from_date,to_date\n7,101,韩梅,19900000007,owner,2020-01-01,2026-07-10\n").await?;
    board.follows("the same with a last day").await?;
    let officer = board.world.privacy_officer();
    let forgotten = pb::EraseCustomerRequest {
        request_id: request_id(),
        customer_id: second.id.clone(),
        basis: pb::ErasureBasis::PersonRequest.into(),
        reason: "asked to be forgotten".into(),
        ..Default::default()
    };
    officer.customers().erase_customer(officer.ask(forgotten)).await?;
    board.follows("erased").await?;
    let stranger = ops.person(&here, "赵敏", "19900000009").await?;
    board.follows("a stranger").await?;
    board.by_hand("DELETE FROM customer.customers WHERE id = $1", &stranger.id).await?;
    board.follows("nobody").await?;
    Ok(())
}

/// M8: what is read by no figure leaves the counts alone.
#[tokio::test]
async fn what_is_counted_nowhere_is_not_counted_again() -> Result<()> {
    let board = Boards::new().await?;
    let ops = &board.ops;
    let (home, owner) = (ops.unit(&board.here, "101").await?, ops.person(&board.here, "王芳", "19900000001").await?);
    ops.tenure(&home, &owner, OwnerOf, ("2020-01-01", "")).await?;
    ops.exits().record_exit(ops.ask(record(&board.here, &owner.id, ClubLapsed, "2026-07-10"))).await?;
    board.by_hand("UPDATE customer.units SET occupancy = 'vacant' WHERE id = $1", &home.id).await?;
    board.board().await?;
    // What the job counts ahead may be kept after the first spoiling.
    eventually("a board of spoilt counts", || async {
        board.spoil().await?;
        board.by_hand("UPDATE customer.units SET occupancy = 'occupied', floor = 3, update_time = now() WHERE id = $1", &home.id).await?;
        board
            .by_hand("UPDATE customer.customers SET name = phone, do_not_disturb = true, phone_state = 'valid' WHERE id = $1", &owner.id)
            .await?;
        board.by_hand("UPDATE customer.tenures SET update_time = now() WHERE customer_id = $1", &owner.id).await?;
        board.by_hand("UPDATE customer.exits SET recorded_by = 'x' WHERE customer_id = $1", &owner.id).await?;
        board.by_hand("UPDATE customer.estates SET city_code = '330200' WHERE id = $1", &board.here.id).await?;
        let shown = board.board().await?;
        // Seven that stand in each way, of which two count above the line.
        let is_spoilt = |value: &&metric::MetricValue| value.metric_id == "data_quality_dup_rate" && value.numerator == 14;
        Ok((shown.iter().filter(is_spoilt).count() == 2).then_some(()))
    })
    .await
}

/// M8, XC-25: with local midnight the next day has come: who comes on it is there, who leaves on it is lost, without a write. A replica whose
/// clock is behind counts the day before.
#[tokio::test]
async fn a_local_midnight_changes_a_month_under_way() -> Result<()> {
    let mut board = Boards::new().await?;
    let ops = board.ops.clone();
    let (home, away) = (ops.unit(&board.here, "101").await?, ops.unit(&board.there, "201").await?);
    let (owner, stays) = (ops.person(&board.here, "王芳", "19900000001").await?, ops.person(&board.there, "李雷", "19900000002").await?);
    ops.tenure(&home, &owner, OwnerOf, ("2026-07-16", "")).await?;
    ops.tenure(&away, &stays, OwnerOf, ("2020-01-01", "")).await?;
    ops.exits().record_exit(ops.ask(record(&board.there, &stays.id, ClubLapsed, "2026-07-16"))).await?;
    board.follows("what lies ahead").await?;
    let expected = |board: &Boards| (board.shown("data_quality_completeness"), board.shown("churn_rate"));
    assert_eq!(expected(&board), (vec![(0, 1), (1, 1), (1, 2)], vec![(0, 0), (0, 1), (0, 1)]));

    board.world.clock.set("2026-07-15T16:00:00Z".parse::<Timestamp>()?);
    let before = board.seen.clone();
    board.follows("midnight").await?;
    assert_eq!(expected(&board), (vec![(1, 1), (1, 1), (2, 2)], vec![(0, 0), (1, 1), (1, 1)]));
    board.world.clock.set("2026-07-15T15:59:59Z".parse::<Timestamp>()?);
    board.follows("a clock that is behind").await?;
    assert_eq!(board.seen, before);

    // In another zone it is the day after.
    let request = pb::UpdateEstateRequest {
        request_id: request_id(),
        estate_id: board.here.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["time_zone".into()] }),
        time_zone: "Asia/Tokyo".into(),
        ..Default::default()
    };
    ops.estates().update_estate(ops.ask(request)).await?;
    eventually("the zone to be heard of", || async {
        let shown = board.board().await?;
        let of = |id: &str| shown.iter().find(|value| value.metric_id == id).map(|value| (value.numerator, value.denominator));
        Ok((of("data_quality_completeness") == Some((1, 1))).then_some(()))
    })
    .await
}

/// M8: a tenure that comes while its customer is being changed: whichever is committed first, the estate counts the change.
#[tokio::test]
async fn a_change_under_way_is_counted_where_its_customer_comes_to_be() -> Result<()> {
    const OUT_OF_REACH: &str = "UPDATE customer.customers SET phone_state = 'invalid' WHERE id = $1";
    const COMES: &str = "INSERT INTO customer.tenures (id, estate_id, unit_id, customer_id, role, from_date, source, create_time, update_time)
        SELECT gen_random_uuid(), u.estate_id, u.id, $1, 'owner', '2020-01-01', 'staff', now(), now() FROM customer.units u WHERE u.id = $2";
    let mut board = Boards::new().await?;
    let ops = board.ops.clone();
    for (code, is_changed_first) in [("201", true), ("202", false)] {
        let (unit, owner) = (ops.unit(&board.there, code).await?, ops.person(&board.here, "王芳", &format!("19900000{code}")).await?);
        let (owner, unit) = (owner.id.parse::<Uuid>()?, unit.id.parse::<Uuid>()?);
        board.follows("a home and a customer").await?;
        let mut changes = board.db.begin().await?;
        let change = sqlx::query(OUT_OF_REACH).bind(owner).execute(&mut *changes);
        let comes = sqlx::query(COMES).bind(owner).bind(unit);
        if is_changed_first {
            change.await?;
            comes.execute(&board.db).await?;
        } else {
            let mut first = board.db.begin().await?;
            comes.execute(&mut *first).await?;
            let commit = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                first.commit().await
            };
            let (changed, came) = tokio::join!(change, commit);
            changed?;
            came?;
        }
        board.follows("somebody came").await?;
        board.board().await?;
        changes.commit().await?;
        board.follows("and is out of reach").await?;
        let complete: Vec<i64> = board.shown("data_quality_completeness").into_iter().map(|of| of.0).collect();
        assert_eq!(complete, [0; 3]);
    }
    Ok(())
}
