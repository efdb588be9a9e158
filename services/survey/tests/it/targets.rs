//! Figures against the plan's targets: what was promised within a window, and what a reader must know of a figure.

use steward_proto::metric::v1 as metric;
use steward_proto::survey::v1 as pb;

use crate::content::{answer, answers, content, only, short};
use crate::world::{World, census, request_id};

fn definition(id: &str) -> metric::MetricDefinition {
    metric::MetricDefinition { metric_id: id.to_owned(), source: metric::MetricSource::Survey.into(), ..Default::default() }
}

fn at_least(id: &str, count: i64) -> metric::MetricDefinition {
    let target = metric::MetricTarget { direction: metric::MetricDirection::AtLeast.into(), numerator: count, denominator: 1 };
    metric::MetricDefinition { metric_id: id.to_owned(), target: Some(target), ..Default::default() }
}

async fn valued(world: &World, to_date: &str, definition: metric::MetricDefinition) -> metric::MetricValue {
    let request = metric::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: Some(metric::MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: to_date.to_owned() }),
        plan_code: "care-315".to_owned(),
        definitions: vec![definition],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    values.into_iter().find(|value| !value.estate_id.is_empty()).unwrap()
}

/// An improvement plan of one measure, done.
async fn improved(world: &World) {
    let manager = world.manager();
    let measure = pb::Measure {
        code: "train".to_owned(),
        text: "培训".to_owned(),
        owner: "supervisor-1".to_owned(),
        due_date: "2026-09-20".to_owned(),
        ..Default::default()
    };
    let create = pb::CreateImprovementPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        title: "满意度提升".to_owned(),
        owner: "manager-1".to_owned(),
        document_ref: "doc/1".to_owned(),
        measures: vec![measure],
        ..Default::default()
    };
    let made = world.improvements().create_improvement_plan(manager.asks(create)).await.unwrap().into_inner().improvement_plan.unwrap();
    let submit = pb::SubmitImprovementPlanRequest { request_id: request_id(), improvement_plan_id: made.id.clone(), etag: String::new() };
    world.improvements().submit_improvement_plan(manager.asks(submit)).await.unwrap();
    let done = pb::RecordMeasureProgressRequest {
        request_id: request_id(),
        improvement_plan_id: made.id,
        etag: String::new(),
        measure_code: "train".to_owned(),
        progress_percent: 100,
    };
    world.improvements().record_measure_progress(manager.asks(done)).await.unwrap();
}

/// SV-19: four plans of five within the three months miss the target; the fifth meets it.
#[tokio::test]
async fn four_plans_of_five_miss_their_target_at_the_end_of_the_window() {
    let world = World::of(0).await;
    for _ in 0..4 {
        improved(&world).await;
    }
    world.advance(24 * 60);
    let window = "2026-09-30";
    let running = valued(&world, window, at_least("improvement_plans_done", 5)).await;
    assert_eq!((running.numerator, running.denominator), (4, 1));
    world.advance(24 * 31);
    assert_eq!(valued(&world, window, at_least("improvement_plans_done", 5)).await.verdict(), metric::MetricVerdict::Missed);
    assert_eq!(valued(&world, window, at_least("improvement_plans_done", 4)).await.verdict(), metric::MetricVerdict::Met);
}

/// SV-20: without an interview round in the window its target is missed; one that was held meets it.
#[tokio::test]
async fn a_window_without_an_interview_round_misses_its_target() {
    let world = World::of(0).await;
    let none = valued(&world, "2026-09-30", at_least("interview_rounds_done", 1)).await;
    assert_eq!(none.numerator, 0);
    let create = pb::CreateSessionRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: pb::SessionKind::Interview.into(),
        topic: "需求".to_owned(),
        guide: "1.".to_owned(),
        appointment_time: crate::words::wire(world.now()),
        ..Default::default()
    };
    let session = world.sessions().create_session(world.manager().asks(create)).await.unwrap().into_inner().session.unwrap();
    world.advance(24 * 95);
    let missed = valued(&world, "2026-09-30", at_least("interview_rounds_done", 1)).await;
    assert_eq!((missed.numerator, missed.verdict()), (0, metric::MetricVerdict::Missed), "an appointment is no round");
    let hold = pb::HoldSessionRequest {
        request_id: request_id(),
        session_id: session.id,
        hold_time: crate::words::wire(world.now() - jiff::SignedDuration::from_hours(24 * 30)),
        notes: "记录".to_owned(),
        ..Default::default()
    };
    world.sessions().hold_session(world.manager().asks(hold)).await.unwrap();
    let met = valued(&world, "2026-09-30", at_least("interview_rounds_done", 1)).await;
    assert_eq!((met.numerator, met.verdict()), (1, metric::MetricVerdict::Met));
}

/// SV-26: opinions are counted; without a target there is none to meet, and no verdict says otherwise.
#[tokio::test]
async fn suggestions_are_counted_without_a_target() {
    use steward_proto::survey::v1::answer::Value;
    let world = World::of(7).await;
    let wave = world.running("suggestions", content(), census()).await;
    for at in 0..7 {
        let mut given = answers(4);
        if at < 6 {
            given.push(answer("suggestion", Value::Text("多种树".to_owned())));
        }
        world.submit(&wave, at, given).await;
    }
    let value = valued(&world, "2026-07-31", definition("suggestions_count")).await;
    assert_eq!((value.numerator, value.target), (6, None));
    assert!(!matches!(value.verdict(), metric::MetricVerdict::Met | metric::MetricVerdict::Missed), "{:?}", value.verdict());
}

/// SV-01: a wave that was closed with too few answers says so in the figure.
#[tokio::test]
async fn a_figure_of_too_few_answers_carries_the_flag() {
    let world = World::of(6).await;
    let wave = world.running("few", short(), pb::WaveDesign { min_valid_count: 6, ..census() }).await;
    for at in 0..5 {
        world.submit(&wave, at, only(5)).await;
    }
    let flag = |value: &metric::MetricValue| value.parts.iter().find(|part| part.code == "under_sample_waves").map(|part| part.numerator);
    assert_eq!(flag(&valued(&world, "2026-07-31", definition("csat_rate")).await), None, "it is open yet");
    world.close(&wave, "a small estate").await.unwrap();
    let value = valued(&world, "2026-07-31", definition("csat_rate")).await;
    assert_eq!((flag(&value), value.n), (Some(1), 5));
}

/// SV-44: what is published names its method, what it rests on and its period; SV-21: the plan's levels decide it.
#[tokio::test]
async fn a_figure_names_its_method_its_n_and_its_period() {
    let world = World::of(6).await;
    let wave = world.running("named", short(), census()).await;
    for (at, points) in [5, 5, 4, 3, 3, 1].into_iter().enumerate() {
        world.submit(&wave, at, only(points)).await;
    }
    let with_neutral = metric::MetricDefinition {
        parameters: Some(metric::MetricParameters { include_neutral: true, ..Default::default() }),
        ..definition("csat_rate")
    };
    let linear = metric::MetricDefinition { method: "linear_0_100".to_owned(), ..definition("csat_score") };
    for (definition, fraction, method) in [
        (definition("csat_rate"), (3, 6), ""),
        (with_neutral, (5, 6), ""),
        (definition("csat_score"), (420, 6), ""),
        (linear, (375, 6), "linear_0_100"),
    ] {
        let value = valued(&world, "2026-07-31", definition).await;
        assert_eq!(((value.numerator, value.denominator), value.n), (fraction, 6), "{value:?}");
        assert!(!value.method.is_empty() && value.method.contains(method), "{value:?}");
        assert_eq!(value.period.unwrap().to_date, "2026-07-31");
    }
    let figures = world.figures(&wave).await;
    let rate = figures.csat_rate.unwrap();
    assert_eq!((rate.numerator, rate.denominator, rate.n), (1, 2, 6), "and the wave's own page says the same, in lowest terms");
}

/// SV-50: four waves of 5,000 a year are 20,000.
#[tokio::test]
async fn the_waves_of_a_year_cost_what_they_cost_together() {
    let world = World::of(1).await;
    let (questionnaire, _) = world.published("quarterly", short()).await;
    let programme = world.programme("quarterly", &questionnaire).await;
    for quarter in 0..5 {
        let wave = world.draft(&programme, census()).await;
        world.framed(&wave).await;
        world.launched(&wave).await;
        let cost = pb::RecordWaveCostRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new(), cost_fen: 500_000 };
        world.waves().record_wave_cost(world.manager().asks(cost)).await.unwrap();
        // The fifth is launched in the year after.
        world.advance(if quarter == 3 { 24 * 200 } else { 24 * 45 });
    }
    let ask = |from: &str, to: &str| pb::SummariseWaveCostsRequest {
        estate_id: world.estate.to_string(),
        from_date: from.to_owned(),
        to_date: to.to_owned(),
    };
    let year = world.waves().summarise_wave_costs(world.manager().asks(ask("2026-01-01", "2026-12-31"))).await.unwrap().into_inner();
    assert_eq!((year.wave_count, year.cost_fen), (4, 2_000_000));
    let next = world.waves().summarise_wave_costs(world.manager().asks(ask("2027-01-01", "2027-12-31"))).await.unwrap().into_inner();
    assert_eq!((next.wave_count, next.cost_fen), (1, 500_000));
}
