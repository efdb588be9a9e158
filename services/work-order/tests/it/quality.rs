//! What is learnt from finished work: samples of it, causes of frequent cases, and whether what was done about them helped.

use steward_kit::proto::to_timestamp;
use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::SpotCheckState;
use steward_proto::work_order::v1::quality_service_client::QualityServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::world::{Answer, World, at, eventually, refused, request_id, time};

/// The Monday after the week of the tests, in Shanghai.
const NEXT_MONDAY: &str = "2026-03-08T16:00:00Z";

impl World {
    pub(crate) fn quality(&self) -> QualityServiceClient<Channel> {
        QualityServiceClient::new(self.channel())
    }

    /// The estate's weeks are drawn, as from its registration on.
    async fn weeks_are_drawn(&mut self) {
        let insert = "INSERT INTO work_order.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
                      VALUES (gen_random_uuid(), 'draw_spot_checks', $1, '', $1, $2::timestamptz, $2::timestamptz, '2026-03-01Z')";
        sqlx::query(insert).bind(self.estate).bind(NEXT_MONDAY).execute(&self.db).await.unwrap();
        // It finds the timer when it starts.
        self.stop().await;
        self.start().await;
    }

    /// Cases that happened and were closed at these times, as the figures have them: copies of a real order.
    async fn closed(&self, like: &str, category: &str, at: &[(&str, &str)]) {
        for (place, (occurred, closed)) in at.iter().enumerate() {
            let copy = "
                WITH o AS (
                    INSERT INTO work_order.work_orders
                    SELECT (jsonb_populate_record(w, jsonb_build_object('id', gen_random_uuid(), 'state', 'closed', 'category', $2::text,
                               'number', 'WO-2025-' || $2 || $5::text, 'close_code', 'resolved', 'assignee', 'wang'))).*
                      FROM work_order.work_orders w WHERE w.id = $1::uuid RETURNING id, number)
                INSERT INTO work_order.case_facts
                SELECT (jsonb_populate_record(f, jsonb_build_object('work_order_id', o.id, 'number', o.number, 'category', $2::text,
                           'occur_time', $3::text, 'receive_time', $3::text, 'start_time', $3::text, 'close_time', $4::text,
                           'close_code', 'resolved'))).*
                  FROM work_order.case_facts f, o WHERE f.work_order_id = $1::uuid";
            let insert = sqlx::query(copy).bind(like).bind(category).bind(occurred).bind(closed).bind(place.to_string());
            insert.execute(&self.db).await.unwrap();
        }
    }

    async fn checks(&self, open_only: bool) -> Vec<pb::SpotCheck> {
        let list = pb::ListSpotChecksRequest { estate_id: self.estate.to_string(), open_only, ..Default::default() };
        self.quality().list_spot_checks(self.desk().asks(list)).await.unwrap().into_inner().spot_checks
    }

    async fn record(&self, who: &str, check: &str, passed: bool) -> Answer<pb::SpotCheck> {
        let request = pb::RecordSpotCheckRequest {
            spot_check_id: check.to_owned(),
            request_id: request_id(),
            passed,
            finding_codes: if passed { Vec::new() } else { vec!["no_after_photo".to_owned()] },
        };
        let caller = self.staff(who, "customer_service");
        Ok(self.quality().record_spot_check(caller.asks(request)).await?.into_inner().spot_check.unwrap())
    }

    fn root_cause(&self, evidence: &str) -> pb::CreateRootCauseRequest {
        let text = |text: &str| text.to_owned();
        pb::CreateRootCauseRequest {
            estate_id: self.estate.to_string(),
            request_id: request_id(),
            category: text("plumbing"),
            answers: Some(pb::FiveWsOneH {
                who: text("3栋住户"),
                what: text("水管漏水"),
                when: text("冬季夜间"),
                r#where: text("地下室支管"),
                why: text("保温层缺失"),
                how: text("冻胀开裂"),
            }),
            evidence_order_ids: vec![text(evidence)],
        }
    }
}

/// WO-74: of 50 orders closed in a week, 10 % are 5 checks when it is over; whoever handled an order does not check it, each has one
/// result, and what is not done in seven days is told.
#[tokio::test]
async fn five_of_fifty_closed_orders_are_checked() {
    let mut world = World::new().await;
    let like = world.create(world.burst_pipe()).await.id;
    world.closed(&like, "plumbing.leak", &[("2026-03-02T01:00:00Z", "2026-03-03T01:00:00Z"); 50]).await;
    // Another week's.
    world.closed(&like, "greening", &[("2026-02-20T01:00:00Z", "2026-02-21T01:00:00Z"); 20]).await;
    world.weeks_are_drawn().await;
    assert_eq!(world.checks(false).await, []);
    world.clock.set(at(NEXT_MONDAY));
    let checks = eventually("the sample", || async { Some(world.checks(true).await).filter(|checks| !checks.is_empty()) }).await;
    assert_eq!(checks.len(), 5);
    assert!(checks.iter().all(|check| check.week_start_date == "2026-03-02" && check.handlers == ["wang"]), "{checks:?}");
    // To 24:00 of the seventh day after the Monday.
    let due = at("2026-03-16T16:00:00Z");
    assert!(checks.iter().all(|check| time(check.due_time.as_ref()) == due), "{checks:?}");

    let (first, second) = (&checks[0].id, &checks[1].id);
    refused(world.record("wang", first, true).await, Code::FailedPrecondition, "CHECKED_BY_HANDLER");
    let passed = world.record("qian", first, true).await.unwrap();
    assert_eq!((passed.state(), passed.checker.unwrap().subject.as_str()), (SpotCheckState::Passed, "qian"));
    refused(world.record("qian", first, false).await, Code::FailedPrecondition, "SPOT_CHECK_SETTLED");
    let failed = world.record("qian", second, false).await.unwrap();
    assert_eq!((failed.state(), failed.finding_codes), (SpotCheckState::Failed, vec!["no_after_photo".to_owned()]));
    assert_eq!(world.checks(true).await.len(), 3);

    world.clock.set(due);
    eventually("the rest to be overdue", || async {
        let overdue = world.checks(false).await.into_iter().filter(|check| check.overdue).count();
        (overdue == 3).then_some(())
    })
    .await;
    assert_eq!(world.count_facts(&checks[2].id, "SpotCheckOverdue").await, 1);
    assert_eq!(world.count_facts(first, "SpotCheckOverdue").await, 0);
}

/// WO-54: a root cause that lacks an answer is refused, and the refusal names the question; evidence is of the estate.
#[tokio::test]
async fn a_root_cause_needs_all_six_answers() {
    let world = World::new().await;
    let order = world.create(world.burst_pipe()).await.id;
    let create = |request| {
        let (mut quality, request) = (world.quality(), world.staff("li", "estate_manager").asks(request));
        async move { quality.create_root_cause(request).await.map(|answer| answer.into_inner().root_cause.unwrap()) }
    };
    let mut without = world.root_cause(&order);
    without.answers.as_mut().unwrap().why = "  ".to_owned();
    let status = refused(create(without).await, Code::InvalidArgument, "ROOT_CAUSE_INCOMPLETE");
    assert!(status.message().contains("answers.why"), "{}", status.message());
    let unknown = world.root_cause(&request_id());
    refused(create(unknown).await, Code::InvalidArgument, "EVIDENCE_UNKNOWN");
    let cause = create(world.root_cause(&order)).await.unwrap();
    assert_eq!(cause.evidence_order_ids, [order]);
    let list = pb::ListRootCausesRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let listed = world.quality().list_root_causes(world.desk().asks(list)).await.unwrap().into_inner().root_causes;
    assert_eq!(listed, [cause]);
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT answers FROM work_order.root_causes").fetch_one(&world.db).await.unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("保温层"), "what people wrote is sealed");
}

/// WO-54: cases of the category in the three months before and after an action began are counted from the facts of figures; those after
/// are final when the three months are over.
#[tokio::test]
async fn an_action_is_measured_over_three_months() {
    let world = World::new().await;
    let like = world.create(world.burst_pipe()).await.id;
    let manager = world.staff("li", "estate_manager");
    let create = world.root_cause(&like);
    let cause = world.quality().create_root_cause(manager.asks(create)).await.unwrap().into_inner().root_cause.unwrap();
    let before = ["2025-12-05T00:00:00Z", "2026-01-10T00:00:00Z", "2026-02-20T00:00:00Z", "2026-03-04T15:59:59Z"];
    let earlier = ["2025-12-04T15:59:59Z"];
    let after = ["2026-03-04T16:00:00Z", "2026-05-01T00:00:00Z"];
    for times in [&before[..], &earlier[..], &after[..]] {
        for at in times {
            world.closed(&like, "plumbing.leak", &[(at, "2026-07-01T00:00:00Z")]).await;
        }
    }
    world.closed(&like, "parking", &[("2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z")]).await;
    let add = pb::AddCorrectiveActionRequest {
        root_cause_id: cause.id.clone(),
        request_id: request_id(),
        description: "支管加保温".to_owned(),
        responsible: "wang".to_owned(),
        start_date: "2026-03-05".to_owned(),
    };
    world.quality().add_corrective_action(manager.asks(add)).await.unwrap();
    let effect = || async {
        let get = pb::GetRootCauseRequest { root_cause_id: cause.id.clone() };
        let found = world.quality().get_root_cause(world.desk().asks(get)).await.unwrap().into_inner().root_cause.unwrap();
        found.actions[0].effect.clone().unwrap()
    };
    // The order that all are copies of happened on 2 March, and is of plumbing.
    let running = effect().await;
    assert_eq!((running.baseline_start_date.as_str(), running.end_date.as_str()), ("2025-12-05", "2026-06-05"));
    assert_eq!((running.baseline_count, running.count, running.complete), (5, 2, false));
    world.clock.set(at("2026-06-05T00:00:00Z"));
    assert!(effect().await.complete);
}

/// WO-54: a leak of the same unit ten days after one was closed is rework that nobody linked; after 40 days, of another category or of a
/// case that is not closed it is none.
#[tokio::test]
async fn hidden_rework_is_found() {
    let world = World::new().await;
    let like = world.create(pb::CreateWorkOrderRequest { kind: common::WorkOrderKind::Repair.into(), ..world.burst_pipe() }).await.id;
    world.closed(&like, "greening", &[("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")]).await;
    world
        .closed(&like, "parking", &[("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"), ("2026-02-20T00:00:00Z", "2026-02-21T00:00:00Z")])
        .await;
    let leaks = [("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), ("2026-01-12T00:00:00Z", "2026-01-14T00:00:00Z")];
    world.closed(&like, "plumbing.leak", &leaks).await;
    let list = pb::ListHiddenReworkRequest {
        estate_id: world.estate.to_string(),
        from_time: Some(to_timestamp(at("2026-01-01T00:00:00Z"))),
        to_time: Some(to_timestamp(at("2026-04-01T00:00:00Z"))),
        ..Default::default()
    };
    let found = world.quality().list_hidden_rework(world.desk().asks(list)).await.unwrap().into_inner().reworks;
    assert_eq!(found.len(), 1, "{found:?}");
    let rework = &found[0];
    assert_eq!((rework.category.as_str(), time(rework.occur_time.as_ref())), ("plumbing.leak", at("2026-01-12T00:00:00Z")));
    assert_eq!(time(rework.close_time.as_ref()), at("2026-01-02T00:00:00Z"));
    assert_ne!(rework.work_order_id, rework.earlier_order_id);
}
