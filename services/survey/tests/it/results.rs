//! What waves found: the worked examples of the formulas, through the public RPCs.

use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value;
use tonic::Code;

use crate::content::{answer, answers, content, only, question, short};
use crate::peers::Household;
use crate::world::{World, census, refused, request_id};

/// Fills a wave with answers of `counts`: so many of each score. Straight into the store, as valid responses: a test of
/// figures needs hundreds of answers, a test of answering has been made elsewhere.
pub(crate) async fn fill(world: &World, wave: &pb::Wave, bodies: &[(serde_json::Value, i64, i64)]) {
    for (answers, weight, count) in bodies {
        let body = serde_json::json!({
            "answers": answers, "findings": [], "enterer": null, "source_ref": null, "entry_check": null, "start_time": null
        });
        sqlx::query(
            "INSERT INTO survey.responses (estate_id, id, wave_id, mode, verdict, stratum, design_weight, revision, body, texts, occur_time,
                 receive_time, row_version)
             SELECT $1, gen_random_uuid(), $2::uuid, 'online', 'valid', '', $3, 1, $4, '', '2026-07-01Z', '2026-07-01Z', 1
               FROM generate_series(1, $5)",
        )
        .bind(world.estate)
        .bind(&wave.id)
        .bind(weight)
        .bind(&body)
        .bind(count)
        .execute(&world.db)
        .await
        .unwrap();
    }
}

pub(crate) fn scores(question: &str, counts: &[(u32, i64)]) -> Vec<(serde_json::Value, i64, i64)> {
    let row = |(score, count): &(u32, i64)| (serde_json::json!([{"question": question, "value": {"scale": score}}]), 1_000_000, *count);
    counts.iter().map(row).collect()
}

/// SV-21, SV-22, SV-44: vector 1 of F-01 and F-02.
#[tokio::test]
async fn rate_and_score_of_three_hundred_answers_are_those_of_the_worked_example() {
    let world = World::of(1).await;
    let wave = world.running("vector", short(), census()).await;
    fill(&world, &wave, &scores("overall", &[(5, 150), (4, 120), (3, 20), (2, 6), (1, 4)])).await;
    // The frame of the test has one household; the vector is of a large population.
    sqlx::query("DELETE FROM survey.frame_members").execute(&world.db).await.unwrap();
    let figures = world.figures(&wave).await;
    let rate = figures.csat_rate.unwrap();
    assert_eq!((rate.n, rate.method.as_str()), (300, "satisfied_4_5_of_5"));
    assert_eq!(format!("{:.3} {:.3} {:.3}", rate.value, rate.low, rate.high), "0.900 0.861 0.929");
    let score = figures.csat_score.unwrap();
    assert_eq!((format!("{:.2}", score.value).as_str(), score.method.as_str()), ("87.07", "map_20_40_60_80_100"));
    assert!(!rate.is_small_sample);
}

/// SV-42: vector 2 of F-03.
#[tokio::test]
async fn the_net_promoter_score_is_that_of_the_worked_example() {
    let world = World::of(1).await;
    let mut asked = short();
    asked.questions.push(pb::Question { role: pb::QuestionRole::Recommend.into(), ..question("nps", pb::QuestionKind::Nps) });
    let wave = world.running("nps", asked, census()).await;
    fill(&world, &wave, &scores("nps", &[(10, 60), (9, 36), (8, 40), (7, 24), (6, 25), (0, 15)])).await;
    let nps = world.figures(&wave).await.nps.unwrap();
    assert_eq!((nps.n, nps.value), (200, 28.0));
}

/// SV-23, SV-24, SV-25, SV-26
#[tokio::test]
async fn loyalty_complaints_and_suggestions_are_counted_from_the_survey() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let row = |complained: bool, timely: Option<bool>, loyal: bool, text: bool| {
        let mut rows = vec![
            serde_json::json!({"question": "overall", "value": {"scale": if loyal { 5 } else { 3 }}}),
            serde_json::json!({"question": "recommend", "value": {"scale": 9}}),
            serde_json::json!({"question": "renew", "value": {"yes": true}}),
            serde_json::json!({"question": "complained", "value": {"yes": complained}}),
        ];
        rows.extend(timely.map(|timely| serde_json::json!({"question": "timely", "value": {"yes": timely}})));
        rows.extend(text.then(|| serde_json::json!({"question": "suggestion", "value": {"text": {}}})));
        serde_json::Value::Array(rows)
    };
    fill(
        &world,
        &wave,
        &[
            (row(true, Some(true), true, false), 1_000_000, 7),
            (row(true, Some(false), true, false), 1_000_000, 1),
            (row(false, None, true, true), 1_000_000, 40),
            (row(false, None, true, false), 1_000_000, 37),
            (row(false, None, false, false), 1_000_000, 15),
        ],
    )
    .await;
    let figures = world.figures(&wave).await;
    let complaint = figures.complaint_rate.unwrap();
    assert_eq!((complaint.n, complaint.value), (100, 0.08));
    let timely = figures.complaint_timely_rate.unwrap();
    assert_eq!((timely.n, timely.value, timely.is_small_sample), (8, 0.875, true));
    let loyalty = figures.loyalty_rate.unwrap();
    assert_eq!((loyalty.value, loyalty.method.as_str()), (0.85, "composite"));
    assert_eq!(figures.suggestion_count.unwrap().value, 40.0);
}

/// SV-38
#[tokio::test]
async fn weighted_and_unweighted_stand_side_by_side() {
    let world = World::of(1).await;
    let wave = world.running("weights", short(), census()).await;
    let row = |score: u32| serde_json::json!([{"question": "overall", "value": {"scale": score}}]);
    // Complainers were drawn twice as often and weigh half: 20 of them dissatisfied, 40 others satisfied.
    fill(&world, &wave, &[(row(1), 500_000, 20), (row(5), 1_000_000, 40)]).await;
    let rate = world.figures(&wave).await.csat_rate.unwrap();
    assert_eq!(format!("{:.4} {:.4}", rate.value, rate.weighted_value), "0.6667 0.8000");
}

/// SV-43
#[tokio::test]
async fn the_index_weighs_dimensions_and_says_what_matters() {
    let world = World::of(6).await;
    let wave = world.census().await;
    for at in 0..6 {
        let mut given = answers(if at % 2 == 0 { 5 } else { 2 });
        // Cleaning goes with the overall judgement; parking goes against it.
        given[4] = answer("q_cleaning", Value::Scale(if at % 2 == 0 { 5 } else { 1 }));
        given[6] = answer("q_parking", Value::Scale(if at % 2 == 0 { 2 } else { 4 }));
        world.submit(&wave, at, given).await;
    }
    let figures = world.figures(&wave).await;
    let of = |code: &str| figures.dimensions.iter().find(|dimension| dimension.dimension_code == code).unwrap();
    assert_eq!((of("cleaning").weight, of("cleaning").mean_score.as_ref().unwrap().value), (0.1, 60.0));
    assert!(of("cleaning").importance > 0.99 && of("parking").importance < -0.99);
    let mean: f64 = figures.dimensions.iter().map(|dimension| dimension.mean_score.as_ref().unwrap().value * 0.1).sum();
    let index = figures.csat_index.unwrap();
    assert!((index.value - mean).abs() < 1e-9 && index.method == "weighted_dimensions", "{index:?} {mean}");
}

/// SV-52
#[tokio::test]
async fn the_response_rate_is_valid_answers_by_invitations() {
    let world = World::of(10).await;
    let wave = world.census().await;
    for at in 0..3 {
        world.submit(&wave, at, answers(4)).await;
    }
    let rate = world.figures(&wave).await.response_rate.unwrap();
    assert_eq!((rate.n, rate.value), (10, 0.3));
}

#[tokio::test]
async fn without_answers_there_is_no_data_and_not_zero() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let figures = world.figures(&wave).await;
    assert!(!figures.csat_rate.unwrap().has_data && !figures.nps.unwrap().has_data && !figures.csat_index.unwrap().has_data);
}

/// SV-31, SV-44
#[tokio::test]
async fn a_published_page_has_n_response_rate_method_and_interval() {
    let world = World::of(8).await;
    let wave = world.census().await;
    let publish = |wave: &pb::Wave| pb::PublishWaveResultsRequest {
        request_id: request_id(),
        wave_id: wave.id.clone(),
        etag: String::new(),
        statement: "谢谢各位业主".to_owned(),
    };
    for at in 0..6 {
        world.submit(&wave, at, answers(5)).await;
    }
    let early = world.results().publish_wave_results(world.manager().asks(publish(&wave))).await;
    refused(early, Code::FailedPrecondition, "STATE_FORBIDS");
    world.close(&wave, "").await.unwrap();
    world.results().publish_wave_results(world.manager().asks(publish(&wave))).await.unwrap();
    // A resident reads it.
    let list = pb::ListResultPagesRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let pages = world.results().list_result_pages(world.resident(7).asks(list)).await.unwrap().into_inner().result_pages;
    let page = &pages[0];
    assert_eq!((page.n, page.response_rate), (6, 0.75));
    let rate = page.figures.iter().find(|figure| figure.metric_id == "csat_rate").unwrap();
    assert!(rate.n == 6 && !rate.method.is_empty() && rate.low > 0.0 && rate.high > rate.low && rate.confidence == 0.95, "{rate:?}");
    assert!(page.figures.iter().all(|figure| !figure.method.is_empty()));
    assert_eq!(world.facts("WaveResultsPublished").await, 1);
}

/// SV-34
#[tokio::test]
async fn the_lift_over_a_baseline_has_points_and_an_interval() {
    let world = World::of(1).await;
    let (questionnaire, _) = world.published("lift", short()).await;
    let programme = world.programme("lift", &questionnaire).await;
    let before = world.draft(&programme, census()).await;
    fill(&world, &before, &scores("overall", &[(5, 360), (2, 140)])).await;
    let after = world.draft(&programme, pb::WaveDesign { pair_wave_id: before.id.clone(), ..census() }).await;
    fill(&world, &after, &scores("overall", &[(5, 418), (2, 82)])).await;
    let compare = pb::CompareWavesRequest { wave_id: after.id.clone(), baseline_wave_id: String::new() };
    let comparison = world.results().compare_waves(world.manager().asks(compare)).await.unwrap().into_inner().comparison.unwrap();
    let rate = &comparison.differences[0];
    assert_eq!((format!("{:.1}", rate.difference_points).as_str(), rate.is_significant), ("11.6", true));
    assert!(rate.low > 6.0 && rate.high < 17.0, "{} {}", rate.low, rate.high);

    // Another instrument is no baseline.
    let (other, _) = world.published("other", content()).await;
    let other = world.programme("other", &other).await;
    let other = world.draft(&other, census()).await;
    let compare = pb::CompareWavesRequest { wave_id: after.id, baseline_wave_id: other.id };
    refused(world.results().compare_waves(world.manager().asks(compare)).await, Code::InvalidArgument, "INSTRUMENT_DIFFERS");
}

/// SV-30
#[tokio::test]
async fn a_tenth_of_those_who_attended_are_asked() {
    let world = World::with((0..100).map(|_| Household::new()).collect()).await;
    let sampling = pb::Sampling { method: pb::SamplingMethod::SimpleRandom.into(), size: 10, ..Default::default() };
    let subject = pb::WaveSubject { kind: "activity".to_owned(), code: "spring-festival".to_owned() };
    let design = pb::WaveDesign { sampling: Some(sampling), subject: Some(subject), ..census() };
    let wave = world.running("event_feedback", short(), design).await;
    assert_eq!(wave.numbers.unwrap().invited_count, 10);
}

/// SV-44: what the rows say is what is said.
#[tokio::test]
async fn counts_of_answers_are_shown_by_question() {
    let world = World::of(7).await;
    let wave = world.running("counts", short(), census()).await;
    for (at, score) in [5, 5, 4, 4, 4, 1, 2].into_iter().enumerate() {
        world.submit(&wave, at, only(score)).await;
    }
    let figures = world.figures(&wave).await;
    let counts: Vec<(&str, i64)> = figures.questions[0].counts.iter().map(|count| (count.answer.as_str(), count.count)).collect();
    assert_eq!(counts, [("1", 1), ("2", 1), ("4", 3), ("5", 2)]);
}
