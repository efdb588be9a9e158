//! The figures that survey owns, through `MetricService`: answers submitted by the public RPCs, counted by a definition.

use steward_proto::metric::v1 as metric;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_proto::survey::v1 as pb;

use crate::content::{answer, answers, content, only, short};
use crate::world::{World, census, request_id};

pub(crate) fn definition(id: &str) -> metric::MetricDefinition {
    metric::MetricDefinition { metric_id: id.to_owned(), source: metric::MetricSource::Survey.into(), ..Default::default() }
}

fn july() -> Option<metric::MetricPeriod> {
    Some(metric::MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: "2026-07-31".to_owned() })
}

async fn values(world: &World, definitions: Vec<metric::MetricDefinition>) -> Vec<metric::MetricValue> {
    let request = metric::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: july(),
        plan_code: "test".to_owned(),
        definitions,
        ..Default::default()
    };
    let mut metrics = MetricServiceClient::new(world.channel.clone());
    let values = metrics.compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    values.into_iter().filter(|value| !value.estate_id.is_empty()).collect()
}

fn fraction(value: &metric::MetricValue) -> (i64, i64) {
    (value.numerator, value.denominator)
}

/// F-01, F-02, F-03, F-04, F-05b, SV-52
#[tokio::test]
async fn answers_become_figures_by_their_definitions() {
    use steward_proto::survey::v1::answer::Value;
    let world = World::of(10).await;
    let wave = world.census().await;
    for at in 0..8 {
        let mut given = answers(if at < 6 { 5 } else { 2 });
        if at < 2 {
            // Complained; one of them in time.
            given.retain(|answer| answer.question_code != "complained");
            given.push(answer("complained", Value::Yes(true)));
            given.push(answer("timely", Value::Yes(at == 0)));
            given.push(answer("suggestion", Value::Text("请改进".to_owned())));
        }
        world.submit(&wave, at, given).await;
    }
    let ids = ["csat_rate", "csat_score", "nps", "loyalty_rate", "complaint_rate", "suggestions_count", "response_rate", "csat_index"];
    let values = values(&world, ids.map(definition).to_vec()).await;
    let of = |id: &str| values.iter().find(|value| value.metric_id == id).unwrap_or_else(|| panic!("no {id}"));
    assert_eq!((fraction(of("csat_rate")), of("csat_rate").n), ((6, 8), 8));
    assert_eq!(fraction(of("csat_score")), (680, 8));
    assert_eq!(fraction(of("nps")), (100, 1));
    assert_eq!(fraction(of("loyalty_rate")), (6, 8));
    assert_eq!(fraction(of("complaint_rate")), (2, 8));
    assert_eq!(of("suggestions_count").numerator, 2);
    assert_eq!(fraction(of("response_rate")), (8, 10));
    assert!(of("csat_rate").interval.is_some());

    let request = metric::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: july(),
        metric_id: "csat_rate".to_owned(),
        definition: Some(definition("csat_rate")),
        page_size: 5,
        ..Default::default()
    };
    let mut metrics = MetricServiceClient::new(world.channel.clone());
    let first = metrics.explain_metric(world.operations().asks(request.clone())).await.unwrap().into_inner();
    let request = metric::ExplainMetricRequest { page_token: first.next_page_token.clone(), ..request };
    let second = metrics.explain_metric(world.operations().asks(request)).await.unwrap().into_inner();
    let rows: Vec<&metric::MetricRow> = first.rows.iter().chain(&second.rows).collect();
    assert_eq!((rows.len(), rows.iter().filter(|row| row.in_numerator).count()), (8, 6), "the rows are those of the figure");
    assert_eq!(fraction(&first.value.unwrap()), (6, 8));
}

/// SV-40: a figure of few is no figure, and has no rows.
#[tokio::test]
async fn a_figure_of_few_answers_is_suppressed() {
    let world = World::of(3).await;
    let wave = world.running("few", short(), census()).await;
    for at in 0..3 {
        world.submit(&wave, at, only(5)).await;
    }
    let values = values(&world, vec![definition("csat_rate")]).await;
    assert!(values[0].is_suppressed, "{values:?}");
    let request = metric::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: july(),
        metric_id: "csat_rate".to_owned(),
        definition: Some(definition("csat_rate")),
        ..Default::default()
    };
    let mut metrics = MetricServiceClient::new(world.channel.clone());
    assert!(metrics.explain_metric(world.operations().asks(request)).await.unwrap().into_inner().rows.is_empty());
}

/// F-19, F-20, SV-14
#[tokio::test]
async fn suggestions_and_their_collation_are_counted() {
    let world = World::of(4).await;
    for at in 0..4 {
        let submit = pb::SubmitFeedbackRequest {
            request_id: request_id(),
            estate_id: world.estate.to_string(),
            source: pb::FeedbackSource::SuggestionBox.into(),
            text: "建议".to_owned(),
            topic_code: if at == 0 { String::new() } else { "lift".to_owned() },
            ..Default::default()
        };
        let item = world.feedback().submit_feedback(world.resident(at).asks(submit)).await.unwrap().into_inner().feedback_item.unwrap();
        let (request_id_of, feedback_item_id) = (request_id(), item.id);
        let assess = pb::AssessFeedbackRequest {
            request_id: request_id_of,
            feedback_item_id: feedback_item_id.clone(),
            etag: String::new(),
            owner_role: "estate_manager".to_owned(),
        };
        world.feedback().assess_feedback(world.manager().asks(assess)).await.unwrap();
        if at < 3 {
            let adopt = pb::AdoptFeedbackRequest { request_id: request_id(), feedback_item_id, ..Default::default() };
            world.feedback().adopt_feedback(world.manager().asks(adopt)).await.unwrap();
        }
    }
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 10));
    let values = values(&world, vec![definition("suggestion_adoption_rate"), definition("collation_rate")]).await;
    let of = |id: &str| values.iter().find(|value| value.metric_id == id).unwrap();
    assert_eq!(fraction(of("suggestion_adoption_rate")), (3, 4));
    assert_eq!(fraction(of("collation_rate")), (3, 4));
}

/// P-6: without answers there is no data, and never 0.
#[tokio::test]
async fn without_a_wave_there_is_no_data() {
    let world = World::of(1).await;
    world.running("asked", content(), census()).await;
    let values = values(&world, vec![definition("csat_rate"), definition("nps")]).await;
    assert!(values.iter().all(|value| value.verdict() == metric::MetricVerdict::NoData), "{values:?}");
}
