//! Whose matter a case is: suggested by the unit's warranty, said by the staff, and timed by rules for it.

use steward_proto::common::v1 as common;
use steward_proto::common::v1::Liability;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::ClockState;
use steward_proto::work_order::v1::liability_service_client::LiabilityServiceClient;
use tonic::Code;

use crate::world::{Answer, World, at, clock, refused, request_id, time};

impl World {
    /// The unit was handed over on a day, as the customer service's event would say.
    async fn hand_over(&self, date: &str) {
        let update = "UPDATE work_order.units SET delivery_date = $2::date WHERE id = $1";
        sqlx::query(update).bind(self.unit).bind(date).execute(&self.db).await.unwrap();
    }

    async fn say(&self, id: &str, liability: Liability) -> Answer<pb::WorkOrder> {
        let request = pb::SetLiabilityRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            etag: String::new(),
            liability: liability.into(),
            reason: "seen_on_site".to_owned(),
        };
        let answer = LiabilityServiceClient::new(self.channel()).set_liability(self.desk().asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }

    async fn classify(&self, id: &str, category: &str) -> pb::WorkOrder {
        let request = pb::ClassifyWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            category: category.to_owned(),
            urgency: common::Urgency::L2.into(),
            reason: "seen".to_owned(),
            ..Default::default()
        };
        self.orders().classify_work_order(self.desk().asks(request)).await.unwrap().into_inner().work_order.unwrap()
    }

    async fn report(&self, description: &str) -> String {
        let report = pb::CreateWorkOrderRequest { description: description.to_owned(), ..self.burst_pipe() };
        self.create(report).await.id
    }
}

/// WO-50: a bathroom leak in year 3 is within the five years of waterproofing, so that the developer is suggested; the two years of
/// pipes are over by then. What is suggested follows the unit's date.
#[tokio::test]
async fn a_leak_in_year_three_suggests_the_developer() {
    let world = World::new().await;
    world.hand_over("2023-06-01").await;
    let id = world.report("卫生间漏水").await;
    let order = world.get(&id).await;
    assert_eq!(order.category, "waterproofing");
    let suggested = order.liability.unwrap();
    assert_eq!((suggested.suggested(), suggested.warranty_last_date.as_str()), (Liability::Developer, "2028-05-31"));
    assert_eq!((suggested.said(), suggested.actor), (Liability::Unspecified, None), "nobody said it yet");

    let pipe = world.classify(&id, "plumbing.leak").await.liability.unwrap();
    assert_eq!((pipe.suggested(), pipe.warranty_last_date.as_str()), (Liability::Unspecified, "2025-05-31"), "two years are over");
    let back = world.classify(&id, "waterproofing").await.liability.unwrap();
    assert_eq!(back.suggested(), Liability::Developer);
    let resident = pb::GetWorkOrderRequest { work_order_id: id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(resident)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(seen.liability, None, "it is for the staff");

    // Handed over in 2020, as it turns out.
    world.hand_over("2020-06-01").await;
    assert_eq!(world.get(&id).await.liability.unwrap().suggested(), Liability::Unspecified);
    assert_eq!(world.classify(&id, "parking").await.liability, None, "what has no warranty suggests nobody");
}

/// WO-50: two heating seasons that begin after the handover, by the dates of the plan.
#[tokio::test]
async fn heating_is_under_warranty_for_two_seasons() {
    let world = World::new().await;
    world.hand_over("2024-06-01").await;
    let id = world.report("暖气不热").await;
    let heating = world.classify(&id, "heating").await.liability.unwrap();
    assert_eq!((heating.suggested(), heating.warranty_last_date.as_str()), (Liability::Developer, "2026-03-15"));
    world.hand_over("2023-11-15").await;
    let heating = world.get(&id).await.liability.unwrap();
    assert_eq!((heating.suggested(), heating.warranty_last_date.as_str()), (Liability::Unspecified, "2025-03-15"));
}

/// WO-50: whoever else is liable has a clock of their own from when it is said; it ends when the provider turns out to be.
#[tokio::test]
async fn a_third_party_has_a_clock_of_its_own() {
    let world = World::new().await;
    world.hand_over("2023-06-01").await;
    let id = world.report("卫生间漏水").await;
    assert!(world.get(&id).await.clocks.iter().all(|clock| clock.name != "third_party"), "a suggestion starts nothing");
    world.advance(60);
    let order = world.say(&id, Liability::Developer).await.unwrap();
    let said = order.liability.as_ref().unwrap();
    assert_eq!((said.said(), said.reason.as_str()), (Liability::Developer, "seen_on_site"));
    assert_eq!(said.actor.as_ref().unwrap().subject, "desk-1");
    let third = clock(&order, "third_party", 1);
    // Seven working days after Monday 2 March 2026, to 24:00.
    assert_eq!((time(third.start_time.as_ref()), time(third.due_time.as_ref())), (world.now(), at("2026-03-11T16:00:00Z")));
    assert_eq!(clock(&order, "contact_customer", 1).state(), ClockState::Running, "its own clocks go on");

    let order = world.say(&id, Liability::Provider).await.unwrap();
    assert_eq!(clock(&order, "third_party", 1).state(), ClockState::Void);
    let order = world.say(&id, Liability::ThirdParty).await.unwrap();
    let again = clock(&order, "third_party", 1);
    assert_eq!((again.state(), again.generation), (ClockState::Running, 2));
    assert_eq!(world.count_facts(&id, "LiabilitySet").await, 3);
    let line = world.history(&id).await.into_iter().rfind(|line| line.action == "set_liability").unwrap();
    assert_eq!((line.detail["liability"].as_str(), line.detail["liability_before"].as_str()), ("third_party", "provider"));

    let cancel = pb::CancelWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        etag: String::new(),
        close_code: pb::CloseCode::Withdrawn.into(),
        reason: "x".to_owned(),
    };
    world.orders().cancel_work_order(world.desk().asks(cancel)).await.unwrap();
    refused(world.say(&id, Liability::Owner).await, Code::FailedPrecondition, "STATE_FORBIDS");
}

/// WO-52: a wish told on the open day of the site has a due time for its answer, by a rule of the plan; the answer stops it and starts
/// the clock of the change itself, which runs until it is delivered.
#[tokio::test]
async fn a_change_before_handover_is_answered_and_tracked() {
    let world = World::new().await;
    let wish = pb::CreateWorkOrderRequest {
        kind: common::WorkOrderKind::Request.into(),
        channel: common::Channel::Visit.into(),
        category: "change_request".to_owned(),
        description: "主卧插座移位".to_owned(),
        ..world.burst_pipe()
    };
    let order = world.create(wish).await;
    let answer = clock(&order, "answer", 1);
    // Five working days after Monday 2 March 2026, to 24:00.
    assert_eq!(time(answer.due_time.as_ref()), at("2026-03-09T16:00:00Z"));
    assert!(order.clocks.iter().all(|clock| clock.name != "change_delivery"));
    world.assign(&order.id, "wang").await.unwrap();
    world.advance(24 * 60);
    let boss = world.staff("boss", "estate_manager");
    let assess = |customer_informed| pb::AssessWorkOrderRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        plan: "墙内重新布线".to_owned(),
        customer_informed,
        ..Default::default()
    };
    let evaluated = world.orders().assess_work_order(boss.asks(assess(false))).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(clock(&evaluated, "answer", 1).state(), ClockState::Running, "evaluated, and not answered");
    let answered = world.orders().assess_work_order(boss.asks(assess(true))).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(clock(&answered, "answer", 1).verdict(), pb::Verdict::Kept);
    let delivery = clock(&answered, "change_delivery", 1);
    assert_eq!((delivery.state(), time(delivery.due_time.as_ref())), (ClockState::Running, at("2026-04-02T16:00:00Z")));
}
