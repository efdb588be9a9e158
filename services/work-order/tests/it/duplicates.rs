//! Several reports of one matter, and one report of several matters.

use std::collections::BTreeSet;

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::lineage_service_client::LineageServiceClient;
use steward_proto::work_order::v1::{CallbackOutcome, ClockState, CloseCode, DuplicateReason, State};
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::world::{Answer, World, clock, eventually, refused, request_id, time};

impl World {
    pub(crate) fn lineages(&self) -> LineageServiceClient<Channel> {
        LineageServiceClient::new(self.channel())
    }

    pub(crate) async fn candidates(&self, id: &str) -> Vec<pb::DuplicateCandidate> {
        let request = pb::ListDuplicateCandidatesRequest { work_order_id: id.to_owned(), ..Default::default() };
        self.lineages().list_duplicate_candidates(self.desk().asks(request)).await.unwrap().into_inner().candidates
    }

    pub(crate) async fn merge(&self, lead: &str, duplicates: &[&str]) -> Answer<pb::WorkOrder> {
        let request = pb::MergeWorkOrdersRequest {
            work_order_id: lead.to_owned(),
            request_id: request_id(),
            etag: String::new(),
            duplicate_ids: duplicates.iter().map(ToString::to_string).collect(),
        };
        let answer = self.lineages().merge_work_orders(self.desk().asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }

    /// A complaint of another household.
    async fn complaint_of_another(&self) -> String {
        let unit = self.another_unit().await;
        let request = pb::CreateWorkOrderRequest { unit_id: unit.to_string(), customer_id: Uuid::now_v7().to_string(), ..self.complaint() };
        self.create(request).await.id
    }

    async fn callback_clock(&self, id: &str) -> Option<pb::Clock> {
        self.get(id).await.clocks.into_iter().rfind(|clock| clock.name == "callback")
    }

    async fn callback_starts(&self, id: &str) -> pb::Clock {
        eventually("the callback falls due", || async {
            self.callback_clock(id).await.filter(|clock| clock.state() == ClockState::Running)
        })
        .await
    }
}

/// WO-04: the same complaint by app and by phone within ten minutes is shown as a candidate, with the reasons; what is of another household,
/// of another matter, ended or too old is not.
#[tokio::test]
async fn the_same_complaint_by_app_and_phone_is_shown_as_a_candidate() {
    let world = World::new().await;
    let by = |channel: common::Channel| pb::CreateWorkOrderRequest { channel: channel.into(), ..world.complaint() };
    let ended = world.create(by(common::Channel::App)).await.id;
    world.cancel(&ended, CloseCode::Withdrawn).await;
    let old = world.create(by(common::Channel::App)).await.id;
    world.advance(72 * 60);
    let by_app = world.create(by(common::Channel::App)).await.id;
    world.complaint_of_another().await;
    let of_another_kind = pb::CreateWorkOrderRequest { customer_id: String::new(), ..world.burst_pipe() };
    world.create(of_another_kind).await;
    world.advance(10);
    let by_phone = world.create(by(common::Channel::Hotline)).await.id;
    let found = world.candidates(&by_phone).await;
    assert_eq!(found.iter().map(|found| found.work_order.as_ref().unwrap().id.clone()).collect::<Vec<_>>(), [by_app.as_str()]);
    let all = [DuplicateReason::SameUnit, DuplicateReason::SameCustomer, DuplicateReason::SameKind, DuplicateReason::SameCategory];
    assert_eq!(found[0].reasons().collect::<Vec<_>>(), all);
    let seen: BTreeSet<String> = world.candidates(&by_app).await.into_iter().map(|found| found.work_order.unwrap().id).collect();
    assert_eq!(seen, BTreeSet::from([by_phone.clone(), old]), "looked at from the older one, and three days are within the window");

    let request = pb::ListDuplicateCandidatesRequest { work_order_id: by_phone, ..Default::default() };
    let asked = world.lineages().list_duplicate_candidates(world.resident().asks(request)).await;
    refused(asked, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// WO-39: three reports of one matter: the complaint counts once, and three callbacks are owed, from when the lead is completed. Each reporter
/// hears that it was merged and what came of it; both sides name each other.
#[tokio::test]
async fn three_reports_of_one_matter_count_once_and_are_called_back_thrice() {
    let world = World::new().await;
    let lead = world.create(world.complaint()).await.id;
    let (second, third) = (world.complaint_of_another().await, world.complaint_of_another().await);
    world.advance(5);
    let request = pb::MergeWorkOrdersRequest {
        work_order_id: lead.clone(),
        request_id: request_id(),
        etag: "1".to_owned(),
        duplicate_ids: vec![third.clone(), second.clone(), third.clone()],
    };
    let merged = world.lineages().merge_work_orders(world.desk().asks(request.clone())).await.unwrap().into_inner();
    let again = world.lineages().merge_work_orders(world.desk().asks(request)).await.unwrap().into_inner();
    assert_eq!(merged, again, "a repetition is answered, not refused");
    let leading = merged.work_order.unwrap();
    assert_eq!(leading.lineage.unwrap().duplicate_ids, [second.clone(), third.clone()]);
    for id in [&second, &third] {
        let order = world.get(id).await;
        assert_eq!((order.state(), order.close_code()), (State::Cancelled, CloseCode::Duplicate));
        assert_eq!(order.lineage.unwrap().duplicate_of, lead);
        assert_eq!(world.count_facts(id, "WorkOrderCancelled").await, 1, "its reporter is told");
        assert!(world.callback_clock(id).await.is_none(), "nobody is asked before anything is done");
    }
    assert_eq!(world.counted("complaint_count").await.0, 1);

    world.advance(60);
    world.work_off(&lead).await;
    let done = world.now();
    for id in [&second, &third] {
        let clock = world.callback_starts(id).await;
        assert_eq!(time(clock.start_time.as_ref()), done);
        assert_eq!(world.count_facts(id, "DuplicateSettled").await, 1, "and told what came of it");
    }
    world.advance(60);
    for id in [&lead, &second, &third] {
        world.call_back(id, CallbackOutcome::Reached, 5).await;
    }
    assert_eq!(world.counted("complaint_count").await.0, 1, "one matter");
    assert_eq!(world.counted("callback_coverage").await, (3, 3), "three callbacks");
}

/// Lesson 5, WO-39: nothing of a duplicate warns, breaches or escalates after the merge, however long the lead takes.
#[tokio::test]
async fn a_duplicate_escalates_nothing_after_the_merge() {
    let world = World::new().await;
    let lead = world.create(world.burst_pipe()).await.id;
    let duplicate = world.create(world.burst_pipe()).await.id;
    world.advance(5);
    world.merge(&lead, &[&duplicate]).await.unwrap();
    let before = world.facts(&duplicate).await;
    world.advance(24 * 60);
    eventually("the lead escalates", || async { (world.count_facts(&lead, "WorkOrderEscalated").await > 0).then_some(()) }).await;
    assert_eq!(world.facts(&duplicate).await, before);
    let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.timers WHERE subject_id = $1::uuid")
        .bind(&duplicate)
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(pending, 0);
}

/// WO-39, WO-31: the reporter of a duplicate is dissatisfied: the lead is opened again; nobody is asked while it is open, and whoever was
/// not content is asked again when it is done.
#[tokio::test]
async fn a_dissatisfied_reporter_of_a_duplicate_reopens_the_lead() {
    let world = World::new().await;
    let lead = world.create(world.complaint()).await.id;
    let (angry, content, silent) =
        (world.complaint_of_another().await, world.complaint_of_another().await, world.complaint_of_another().await);
    world.merge(&lead, &[&angry, &content, &silent]).await.unwrap();
    world.work_off(&lead).await;
    for id in [&angry, &content, &silent] {
        world.callback_starts(id).await;
    }
    world.advance(30);
    world.call_back(&content, CallbackOutcome::Reached, 5).await;
    world.call_back(&angry, CallbackOutcome::Reached, 1).await;
    let opened = eventually("the lead is opened again", || async { Some(world.get(&lead).await).filter(|order| order.cycle == 2) }).await;
    assert_eq!(opened.state(), State::Reopened);
    eventually("nobody is asked meanwhile", || async {
        world.callback_clock(&silent).await.filter(|clock| clock.state() == ClockState::Void)
    })
    .await;
    world.advance(60);
    world.work_off(&lead).await;
    for id in [&angry, &silent] {
        let clock = world.callback_starts(id).await;
        assert_eq!(time(clock.start_time.as_ref()), world.now());
    }
    assert_eq!(world.callback_clock(&content).await.unwrap().state(), ClockState::Stopped, "who was content is left in peace");
    assert_eq!(world.count_facts(&content, "DuplicateSettled").await, 2);
}

/// WO-39: what cannot be merged, and why; what an order led follows it.
#[tokio::test]
async fn merges_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let [first, second, third, done] = [(); 4].map(|()| world.burst_pipe());
    let (first, second, third) = (world.create(first).await.id, world.create(second).await.id, world.create(third).await.id);
    let done = world.create(done).await.id;
    world.work_off(&done).await;
    refused(world.merge(&first, &[&second, &first]).await, Code::InvalidArgument, "MERGED_INTO_ITSELF");
    refused(world.merge(&first, &[&Uuid::now_v7().to_string()]).await, Code::NotFound, "WORK_ORDER_NOT_FOUND");
    refused(world.merge(&first, &[&done]).await, Code::FailedPrecondition, "STATE_FORBIDS");
    world.merge(&first, &[&second]).await.unwrap();
    refused(world.merge(&second, &[&first]).await, Code::FailedPrecondition, "ALREADY_MERGED");
    refused(world.merge(&third, &[&second]).await, Code::FailedPrecondition, "ALREADY_MERGED");
    let leading = world.merge(&third, &[&first]).await.unwrap();
    assert_eq!(leading.lineage.unwrap().duplicate_ids, [first.clone(), second.clone()]);
    assert_eq!(world.get(&second).await.lineage.unwrap().duplicate_of, third, "what it led follows");
    assert_eq!(world.get(&first).await.lineage.unwrap().duplicate_ids, Vec::<String>::new());

    // What is done already takes a late report in; its reporter is called back from now on.
    let late = world.create(world.burst_pipe()).await.id;
    world.advance(7);
    world.merge(&done, &[&late]).await.unwrap();
    assert_eq!(time(world.callback_starts(&late).await.start_time.as_ref()), world.now());
    world.close(&done, CloseCode::Resolved).await;
    let later = world.create(world.burst_pipe()).await.id;
    refused(world.merge(&done, &[&later]).await, Code::FailedPrecondition, "STATE_FORBIDS");

    let elsewhere = Uuid::now_v7();
    world.register_estate(elsewhere).await;
    let abroad = pb::CreateWorkOrderRequest { estate_id: elsewhere.to_string(), unit_id: String::new(), ..world.burst_pipe() };
    let abroad = world.orders().create_work_order(world.everywhere().asks(abroad)).await.unwrap().into_inner().work_order.unwrap();
    refused(world.merge(&third, &[&abroad.id]).await, Code::NotFound, "WORK_ORDER_NOT_FOUND");
    let request = pb::MergeWorkOrdersRequest {
        work_order_id: third.clone(),
        request_id: request_id(),
        etag: String::new(),
        duplicate_ids: vec![abroad.id],
    };
    let across = world.lineages().merge_work_orders(world.everywhere().asks(request)).await;
    refused(across, Code::InvalidArgument, "ESTATES_DIFFER");
}

/// WO-07, WO-39: a part that is split off is as old as the report: its clocks count from then, and what is late by now is late.
#[tokio::test]
async fn a_part_is_as_old_as_the_report_it_was_split_off() {
    let world = World::new().await;
    let whole = world.create(world.complaint()).await;
    let received = world.now();
    world.advance(20);
    world.assign(&whole.id, "wang").await.unwrap();
    world.answer(&whole.id).await;
    world.advance(40);
    let request = pb::SplitWorkOrderRequest {
        work_order_id: whole.id.clone(),
        request_id: request_id(),
        kind: common::WorkOrderKind::Repair.into(),
        description: "厨房水管爆漏".to_owned(),
        ..Default::default()
    };
    let split = world.lineages().split_work_order(world.desk().asks(request.clone())).await.unwrap().into_inner();
    let again = world.lineages().split_work_order(world.desk().asks(request)).await.unwrap().into_inner();
    assert_eq!(split, again);
    let part = split.work_order.unwrap();
    assert_eq!((part.state(), part.category.as_str()), (State::Classified, "plumbing.burst_pipe"));
    assert_eq!(time(part.receive_time.as_ref()), received);
    assert_eq!((part.unit_id.clone(), part.customer_id.clone()), (whole.unit_id, whole.customer_id));
    let arrive = clock(&part, "arrive", 1);
    assert_eq!((time(arrive.start_time.as_ref()), arrive.verdict(), arrive.breach_reason.as_str()), (received, pb::Verdict::Late, "split"));
    assert_eq!(clock(&part, "push", 1).verdict(), pb::Verdict::Kept);
    let answered = clock(&part, "first_response", 1);
    assert_eq!(
        (answered.state(), answered.verdict()),
        (ClockState::Stopped, pb::Verdict::Late),
        "answered after 20 minutes; 15 are allowed"
    );
    assert_eq!(part.lineage.unwrap().split_from, whole.id);
    assert_eq!(world.get(&whole.id).await.lineage.unwrap().split_into, [part.id.as_str()]);
    assert_eq!(world.get(&part.id).await.description, "厨房水管爆漏");
    assert_eq!(world.count_facts(&whole.id, "WorkOrderSplit").await, 1);

    world.cancel(&whole.id, CloseCode::Withdrawn).await;
    let request = pb::SplitWorkOrderRequest {
        work_order_id: whole.id,
        request_id: request_id(),
        description: "门口".to_owned(),
        ..Default::default()
    };
    refused(world.lineages().split_work_order(world.desk().asks(request)).await, Code::FailedPrecondition, "STATE_FORBIDS");
}
