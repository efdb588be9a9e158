//! The suggestion box.

use jiff::SignedDuration;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::words::time;
use crate::world::{World, eventually, refused, request_id};

pub(crate) async fn submitted(world: &World, at: usize) -> pb::FeedbackItem {
    let submit = pb::SubmitFeedbackRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        source: pb::FeedbackSource::SuggestionBox.into(),
        text: "希望增加充电桩".to_owned(),
        ..Default::default()
    };
    world.feedback().submit_feedback(world.resident(at).asks(submit)).await.unwrap().into_inner().feedback_item.unwrap()
}

async fn get(world: &World, id: &str) -> pb::FeedbackItem {
    let get = pb::GetFeedbackRequest { feedback_item_id: id.to_owned() };
    world.feedback().get_feedback(world.manager().asks(get)).await.unwrap().into_inner().feedback_item.unwrap()
}

pub(crate) async fn collated(world: &World, id: &str) -> pb::FeedbackItem {
    let collate = pb::CollateFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.to_owned(),
        etag: String::new(),
        topic_code: "parking.charging".to_owned(),
    };
    world.feedback().collate_feedback(world.manager().asks(collate)).await.unwrap().into_inner().feedback_item.unwrap()
}

/// SV-11
#[tokio::test]
async fn a_suggestion_is_acknowledged_routed_and_numbered_at_once() {
    let world = World::of(2).await;
    let item = submitted(&world, 0).await;
    assert_eq!((item.state(), item.owner_role.as_str()), (pb::FeedbackState::New, "steward_supervisor"));
    assert_eq!(time(item.acknowledge_time.as_ref()), world.now());
    assert!(item.number.starts_with("FB-2026-"), "{}", item.number);
    assert_eq!(item.customer_id, world.household(0).customer.unwrap().to_string(), "a resident speaks for themselves");
    let told: Vec<pb::FeedbackReceived> = world.told("FeedbackReceived").await;
    assert_eq!(told[0].item.as_ref().unwrap().feedback_item_id, item.id);
    // Another resident does not see it.
    let get = pb::GetFeedbackRequest { feedback_item_id: item.id };
    refused(world.feedback().get_feedback(world.resident(1).asks(get)).await, Code::NotFound, "FEEDBACK_ITEM_NOT_FOUND");
}

/// SV-12
#[tokio::test]
async fn an_adopted_suggestion_is_told_back_and_stands_in_the_bulletin() {
    let world = World::of(1).await;
    let (id, manager) = (submitted(&world, 0).await.id, world.manager());
    let adopt = || pb::AdoptFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.clone(),
        etag: String::new(),
        reason: "有需求".to_owned(),
    };
    refused(world.feedback().adopt_feedback(manager.asks(adopt())).await, Code::FailedPrecondition, "STATE_FORBIDS");
    let assess = pb::AssessFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.clone(),
        etag: String::new(),
        owner_role: "estate_manager".to_owned(),
    };
    world.feedback().assess_feedback(manager.asks(assess)).await.unwrap();
    world.feedback().adopt_feedback(manager.asks(adopt())).await.unwrap();
    let complete = pb::CompleteFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.clone(),
        etag: String::new(),
        public_reply: "已增加十个充电桩".to_owned(),
    };
    world.feedback().complete_feedback(manager.asks(complete)).await.unwrap();
    assert_eq!((world.facts("FeedbackDecided").await, world.facts("FeedbackDone").await), (1, 1));
    let list = pb::ListAdoptedFeedbackRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let bulletin = world.feedback().list_adopted_feedback(world.resident(0).asks(list)).await.unwrap().into_inner().entries;
    assert_eq!((bulletin[0].public_reply.as_str(), bulletin[0].state()), ("已增加十个充电桩", pb::FeedbackState::Done));
}

/// SV-14
#[tokio::test]
async fn an_item_that_is_not_collated_in_seven_days_is_overdue() {
    let world = World::of(2).await;
    let (late, kept) = (submitted(&world, 0).await, submitted(&world, 1).await);
    // To 24:00 of the seventh day after: 9 July, 00:00 in Shanghai.
    assert_eq!(time(late.collate_due_time.as_ref()).to_string(), "2026-07-08T16:00:00Z");
    collated(&world, &kept.id).await;
    world.clock.advance(SignedDuration::from_hours(24 * 8));
    let overdue = eventually("the item to be overdue", || async {
        let item = get(&world, &late.id).await;
        item.is_collation_overdue.then_some(item)
    })
    .await;
    assert_eq!(overdue.id, late.id);
    let told: Vec<pb::FeedbackCollationOverdue> = world.told("FeedbackCollationOverdue").await;
    assert_eq!((told.len(), told[0].notify_roles.as_slice()), (1, ["estate_manager".to_owned()].as_slice()));
    let list = pb::ListFeedbackRequest { estate_id: world.estate.to_string(), overdue_only: true, ..Default::default() };
    let listed = world.feedback().list_feedback(world.manager().asks(list)).await.unwrap().into_inner().feedback_items;
    assert_eq!(listed.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), [late.id.as_str()]);
    assert!(collated(&world, &late.id).await.is_collation_overdue, "what is late stays late");
    assert!(!get(&world, &kept.id).await.is_collation_overdue);
}

/// SV-15, SV-26
#[tokio::test]
async fn items_are_summarised_by_topic_those_not_coded_among_them() {
    let world = World::of(3).await;
    for at in 0..3 {
        let item = submitted(&world, at).await;
        if at < 2 {
            collated(&world, &item.id).await;
        }
    }
    let ask = pb::SummariseFeedbackRequest {
        estate_id: world.estate.to_string(),
        from_date: "2026-07-01".to_owned(),
        to_date: "2026-07-31".to_owned(),
    };
    let summary = world.feedback().summarise_feedback(world.manager().asks(ask)).await.unwrap().into_inner();
    let topics: Vec<(&str, i64)> = summary.topics.iter().map(|topic| (topic.topic_code.as_str(), topic.item_count)).collect();
    assert_eq!((summary.item_count, topics), (3, vec![("parking.charging", 2), ("", 1)]));
}

#[tokio::test]
async fn a_declined_item_says_why_and_ends() {
    let world = World::of(1).await;
    let (id, manager) = (submitted(&world, 0).await.id, world.manager());
    let assess = pb::AssessFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.clone(),
        etag: String::new(),
        owner_role: "estate_manager".to_owned(),
    };
    world.feedback().assess_feedback(manager.asks(assess)).await.unwrap();
    let decline = pb::DeclineFeedbackRequest {
        request_id: request_id(),
        feedback_item_id: id.clone(),
        etag: String::new(),
        reason: "消防".to_owned(),
    };
    let declined = world.feedback().decline_feedback(manager.asks(decline)).await.unwrap().into_inner().feedback_item.unwrap();
    assert_eq!((declined.state(), declined.decision_reason.as_str()), (pb::FeedbackState::Declined, "消防"));
    let complete =
        pb::CompleteFeedbackRequest { request_id: request_id(), feedback_item_id: id, etag: String::new(), public_reply: "x".to_owned() };
    refused(world.feedback().complete_feedback(manager.asks(complete)).await, Code::FailedPrecondition, "STATE_FORBIDS");
}
