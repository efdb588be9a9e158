//! Figures that were counted before are those that counting now would give, whatever was written meanwhile, by whom, and whatever
//! time it is (`kit-store/docs/rollups.md`).

use jiff::SignedDuration;
use steward_harness::Asked;
use steward_harness::rollups::{KeptCounts, without_time};
use steward_kit::metric::{Owner, metrics};
use steward_proto::metric::v1 as metric;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use uuid::Uuid;

use crate::content::{answer, answers, content, only, short};
use crate::metrics::definition;
use crate::results::{fill, scores};
use crate::world::{World, at, census, eventually, request_id};
use crate::{anonymous, feedback, improvement, sessions};

/// Days that are asked about.
type Days<'a> = (&'a str, &'a str);

const YEAR: Days<'static> = ("2026-01-01", "2026-12-31");
const AUGUST: Days<'static> = ("2026-08-01", "2026-08-31");

/// Every metric of this service, each over the days that are asked about and no wider period of its own.
fn every_definition() -> Vec<metric::MetricDefinition> {
    let own = metrics().iter().filter(|one| one.owner == Owner::Survey);
    own.map(|one| metric::MetricDefinition { period: metric::MetricPeriodKind::Wave.into(), ..definition(one.id) }).collect()
}

impl World {
    async fn board(&self, others: &[Uuid], days: Days<'_>) -> Vec<metric::MetricValue> {
        let request = metric::ComputeMetricsRequest {
            estate_ids: [self.estate].iter().chain(others).map(Uuid::to_string).collect(),
            period: Some(metric::MetricPeriod { from_date: days.0.to_owned(), to_date: days.1.to_owned() }),
            plan_code: "test".to_owned(),
            definitions: every_definition(),
            ..Default::default()
        };
        self.metrics().compute_metrics(self.operations().asks(request)).await.unwrap().into_inner().values
    }

    fn kept(&self) -> KeptCounts<'_> {
        KeptCounts { db: &self.db, schema: "survey" }
    }

    async fn spoil(&self) {
        self.kept().spoil(self.estate).await;
    }

    /// Counts anew, from the rows alone.
    async fn counted_anew(&self, others: &[Uuid], days: Days<'_>) -> Vec<metric::MetricValue> {
        self.kept().forget().await;
        self.board(others, days).await
    }

    /// Timers that the clock made due have written what they write.
    async fn settled(&self) {
        let settled = || async { self.kept().is_settled(self.now()).await.then_some(()) };
        eventually("timers are fired", settled).await;
    }

    /// What a board shows after a change is what counting from the rows gives, and is another than before; the next change finds
    /// spoilt counts.
    async fn follows(&self, other: Uuid, before: &mut Vec<metric::MetricValue>, what: &str) {
        self.settled().await;
        let shown = without_time(self.board(&[other], YEAR).await);
        assert_ne!(shown, *before, "{what} changes something");
        assert_eq!(shown, without_time(self.counted_anew(&[other], YEAR).await), "{what}");
        *before = shown;
        self.spoil().await;
    }

    async fn by_hand(&self, sql: &'static str) {
        assert!(sqlx::query(sql).execute(&self.db).await.unwrap().rows_affected() > 0, "{sql}");
    }
}

/// A figure of the first estate.
fn of<'a>(values: &'a [metric::MetricValue], id: &str) -> &'a metric::MetricValue {
    values.iter().find(|value| value.metric_id == id && !value.estate_id.is_empty()).unwrap()
}

/// M8: after every kind of write the board is what the rows say, though each time what was kept before had been spoilt.
#[tokio::test]
async fn a_board_follows_every_write() {
    let world = World::of(6).await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let everything = plan::SurveyPolicy { suppress_below: 1, ..Default::default() };
    world.estate_policy(everything.clone()).await;
    let mut seen = without_time(world.board(&[other], YEAR).await);
    world.spoil().await;
    let unchanged = world.board(&[other], YEAR).await;
    assert_eq!(of(&unchanged, "interview_rounds_done").numerator, 7, "what nobody changed is not counted again");
    let seen = &mut seen;

    let wave = world.running("annual-test", content(), pb::WaveDesign { min_valid_count: 5, ..census() }).await;
    world.follows(other, seen, "launched").await;
    let mut with_text = answers(2);
    with_text.push(answer("suggestion", pb::answer::Value::Text("请改进".to_owned())));
    let request = world.submission(&wave, 0, with_text).await;
    world.send(0, request.clone()).await.unwrap();
    world.follows(other, seen, "answered").await;
    world.advance(1);
    let amended = pb::SubmitResponseRequest { request_id: request_id(), answers: answers(5), ..request };
    world.send(0, amended).await.unwrap();
    world.follows(other, seen, "amended").await;
    let request = world.submission(&wave, 1, answers(4)).await;
    let held = world.responses().submit_response(world.manager().asks(request)).await.unwrap().into_inner().response.unwrap();
    let review = pb::ReviewResponseRequest {
        request_id: request_id(),
        response_id: held.id,
        etag: held.etag,
        accept: true,
        reason: "in person".to_owned(),
    };
    world.responses().review_response(world.manager().asks(review)).await.unwrap();
    world.follows(other, seen, "reviewed").await;

    let anonymous = world.running("anonymous", content(), pb::WaveDesign { is_anonymous: true, ..census() }).await;
    world.follows(other, seen, "another wave").await;
    let token = anonymous::token(&world, &anonymous, 2, 7).await.unwrap();
    let blind = anonymous::blind(&anonymous, &token, 1);
    world.responses().submit_blind_response(world.resident(3).asks(blind)).await.unwrap();
    world.follows(other, seen, "answered without a name").await;
    world.close(&wave, "a small estate").await.unwrap();
    world.follows(other, seen, "closed with too few").await;

    let item = feedback::submitted(&world, 0).await;
    feedback::collated(&world, &item.id).await;
    world.follows(other, seen, "collated").await;
    let (feedback_item_id, owner_role) = (item.id.clone(), "estate_manager".to_owned());
    let assess = pb::AssessFeedbackRequest { request_id: request_id(), feedback_item_id, etag: String::new(), owner_role };
    world.feedback().assess_feedback(world.manager().asks(assess)).await.unwrap();
    world.follows(other, seen, "assessed").await;
    let adopt = pb::AdoptFeedbackRequest { request_id: request_id(), feedback_item_id: item.id, ..Default::default() };
    world.feedback().adopt_feedback(world.manager().asks(adopt)).await.unwrap();
    world.follows(other, seen, "adopted").await;

    let session = sessions::planned(&world, pb::SessionKind::Interview, "").await;
    world.sessions().hold_session(world.manager().asks(sessions::hold(&world, &session))).await.unwrap();
    world.follows(other, seen, "an interview").await;
    let plan = improvement::created(&world, improvement::new_plan(&world)).await;
    world.improvements().submit_improvement_plan(world.manager().asks(improvement::submit(&plan.id))).await.unwrap();
    improvement::done(&world, &plan.id, "train").await;
    improvement::done(&world, &plan.id, "rota").await;
    world.follows(other, seen, "a plan is done").await;
    world.advance(24 * 100);
    world.settled().await;
    let effect = pb::RecordPlanEffectRequest { request_id: request_id(), improvement_plan_id: plan.id, etag: String::new(), value: 0.96 };
    world.improvements().record_plan_effect(world.manager().asks(effect)).await.unwrap();
    world.follows(other, seen, "its effect is known").await;

    world.by_hand("UPDATE survey.frame_members SET verdict = 'excluded' WHERE household_id = (SELECT min(household_id::text)::uuid FROM survey.invitations)").await;
    world.follows(other, seen, "a smaller frame").await;
    world.by_hand("DELETE FROM survey.invitations WHERE state = 'invited'").await;
    world.follows(other, seen, "fewer invitations").await;
    world.by_hand("DELETE FROM survey.responses WHERE household_id IS NULL").await;
    world.follows(other, seen, "an answer is gone").await;
    world.by_hand("UPDATE survey.responses SET design_weight = 500000").await;
    world.follows(other, seen, "weighed otherwise").await;
    // Limits are looked at when a figure is shown.
    world.estate_policy(plan::SurveyPolicy { suppress_below: 50, ..everything }).await;
    world.counted_anew(&[other], YEAR).await;
    let kept = without_time(world.board(&[other], YEAR).await);
    assert!(of(&kept, "csat_rate").is_suppressed && !of(seen, "csat_rate").is_suppressed);
}

/// M8, SV-34: a late answer to the wave before changes what the wave after is compared with, and what is in flight is not forgotten.
/// An item becomes overdue while nobody writes anything.
#[tokio::test]
async fn what_lies_before_a_period_and_what_passes_in_it_is_seen() {
    let world = World::of(3).await;
    let (questionnaire, _) = world.published("paired", short()).await;
    let programme = world.programme("paired", &questionnaire).await;
    let open = pb::WaveDesign { close_due_time: crate::words::wire(at("2026-12-01T00:00:00Z")), ..census() };
    let before = world.draft(&programme, open.clone()).await;
    world.framed(&before).await;
    world.launched(&before).await;
    fill(&world, &before, &scores("overall", &[(5, 6), (2, 6)])).await;
    world.clock.set(at("2026-08-05T02:00:00Z"));
    let after = world.draft(&programme, pb::WaveDesign { pair_wave_id: before.id.clone(), ..open }).await;
    world.framed(&after).await;
    world.launched(&after).await;
    fill(&world, &after, &scores("overall", &[(5, 9), (2, 3)])).await;
    let lift = |values: &[metric::MetricValue]| {
        let value = of(values, "csat_lift");
        (value.numerator, value.denominator, value.n)
    };
    assert_eq!(lift(&world.board(&[], AUGUST).await), (1, 4, 24));
    world.spoil().await;
    world.submit(&before, 0, only(5)).await;
    let shown = world.board(&[], AUGUST).await;
    assert_eq!((lift(&shown).2, of(&shown, "csat_rate").n), (25, 12), "July's answer is in August's lift alone");
    assert_eq!(shown, world.counted_anew(&[], AUGUST).await);

    let mut writer = world.db.begin().await.unwrap();
    let late = "UPDATE survey.responses SET verdict = 'invalid' WHERE household_id IS NOT NULL";
    sqlx::query(late).execute(&mut *writer).await.unwrap();
    assert_eq!(lift(&world.board(&[], AUGUST).await).2, 25);
    world.submit(&after, 1, only(5)).await;
    assert_eq!(lift(&world.board(&[], AUGUST).await).2, 26, "a later transaction is committed first");
    sqlx::query("SELECT survey.tend_figures('2026-01-01Z')").execute(&world.db).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(lift(&world.board(&[], AUGUST).await).2, 25, "the earlier transaction, committed last");

    let item = feedback::submitted(&world, 0).await;
    let due = crate::words::time(item.collate_due_time.as_ref());
    sqlx::query("DELETE FROM survey.timers").execute(&world.db).await.unwrap();
    let collated = |values: &[metric::MetricValue]| (of(values, "collation_rate").numerator, of(values, "collation_rate").denominator);
    world.clock.set(due - SignedDuration::from_secs(1));
    assert_eq!(collated(&world.board(&[], AUGUST).await), (0, 0), "not due yet");
    world.clock.set(due);
    assert_eq!(collated(&world.board(&[], AUGUST).await), (0, 1));
}

/// M8, DESIGN §4: what a board asks of Postgres grows neither with estates nor with waves nor with answers; thousands of answers come
/// to what they come to when they are read at once.
#[tokio::test]
async fn a_board_costs_the_same_trips_for_more_estates_waves_and_answers() {
    let log = Asked::default();
    let world = World::noted(1, &log).await;
    let others: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    for other in &others {
        world.register_estate(*other).await;
    }
    let wave = world.census().await;
    fill(&world, &wave, &scores("overall", &[(5, 6), (2, 6)])).await;
    // The memory of policies, estates and instruments.
    world.board(&others, ("2026-07-01", "2026-07-01")).await;
    let asked = || {
        let tables =
            ["figure_tallies", ".waves", ".responses", ".feedback_items", ".improvement_plans", ".sessions", "pg_current_snapshot"];
        let is_counting = |sql: &String| tables.iter().any(|table| sql.contains(table));
        // The job that counts ahead looks for what is not true any more.
        let all = log.take().into_iter().filter(|sql| is_counting(sql) && !sql.starts_with("SELECT w.place, t.until_time"));
        all.collect::<Vec<_>>()
    };
    asked();
    // What nobody asked for before is counted by nobody else.
    world.board(&[], ("2026-07-01", "2026-07-30")).await;
    let cold = asked();
    assert_eq!(cold.len(), 10, "what is kept, what is seen, seven kinds of facts, and what they come to: {cold:#?}");

    let (questionnaire, _) = world.published("more", short()).await;
    let programme = world.programme("more", &questionnaire).await;
    for weight in [1_000_000, 500_000, 1_000_000] {
        let more = world.draft(&programme, census()).await;
        let rows: Vec<_> = scores("overall", &[(5, 1500), (2, 300), (1, 3)]).into_iter().map(|(row, _, n)| (row, weight, n)).collect();
        fill(&world, &more, &rows).await;
    }
    // As launched; in other estates too.
    let launch =
        "UPDATE survey.waves SET state = 'launched', body = body || '{\"launch_time\": \"2026-07-02T00:00:00Z\", \"state\": \"launched\"}'
                   WHERE state = 'draft'";
    world.by_hand(launch).await;
    let copy = "INSERT INTO survey.waves (estate_id, id, state, parent_id, sort_time, body, texts, row_version, update_time)
                SELECT o, gen_random_uuid(), state, parent_id, sort_time, body, texts, 1, update_time FROM survey.waves, unnest($1::uuid[]) o";
    sqlx::query(copy).bind(&others).execute(&world.db).await.unwrap();
    world.board(&others, ("2026-07-01", "2026-07-29")).await;
    asked();
    let all = world.board(&others, ("2026-07-01", "2026-07-28")).await;
    let wide = asked();
    assert_eq!(wide.len(), cold.len(), "four estates and sixteen waves: {wide:#?}");
    let again = world.board(&others, ("2026-07-01", "2026-07-28")).await;
    let warm = asked();
    assert_eq!((warm.len(), again == all), (1, true), "{warm:#?}");
    let bytes: i32 = sqlx::query_scalar("SELECT max(octet_length(tallies)) FROM survey.figure_tallies").fetch_one(&world.db).await.unwrap();
    assert!(bytes < 2000, "{bytes} bytes of thousands of answers");

    // One pass over all rows in memory says the same.
    let (rate, n) = (of(&all, "csat_rate"), 12 + 3 * 1803);
    let explain = metric::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: Some(metric::MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: "2026-07-28".to_owned() }),
        plan_code: "test".to_owned(),
        metric_id: "csat_rate".to_owned(),
        definition: Some(definition("csat_rate")),
        page_size: 1,
        ..Default::default()
    };
    let explained = world.metrics().explain_metric(world.operations().asks(explain)).await.unwrap().into_inner().value.unwrap();
    assert_eq!((rate.n, &explained), (n, rate));
}
