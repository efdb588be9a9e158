//! How Postgres answers the lists, the figures and the jobs: by which nodes and which indexes, over tables of some size. The statements
//! are those that the service sends, read by a proxy; `golden/query_plans.snap` is what Postgres makes of them.

use std::fmt::Write;

use steward_harness::Asked;
use steward_harness::query_plans::{self, PlanFor, PlannedQuery};
use steward_proto::metric::v1 as metric;
use steward_proto::survey::v1 as pb;

use crate::content::{answers, content};
use crate::world::{World, census, request_id};

/// A statement of the service.
struct Case {
    query: PlannedQuery,
    /// A customer's own lists go over every estate, and so do jobs; every other one stays in one.
    in_one_estate: bool,
    /// What reads all of a wave can do so by several indexes, which come to the same: it is checked, and not pictured.
    is_pictured: bool,
}

/// Tables that grow with the years.
const GROWING: [&str; 11] = [
    "waves",
    "frame_jobs",
    "sessions",
    "feedback_items",
    "improvement_plans",
    "reports",
    "mystery_visits",
    "frame_members",
    "invitations",
    "responses",
    "response_revisions",
];

/// DESIGN §3, §10: lists go by an index that begins with the estate, page by key, and read no table from end to end; figures find their
/// facts by when they happened; jobs find what is at work. Nothing sorts the history of an estate.
#[tokio::test]
async fn lists_figures_and_jobs_are_answered_by_the_indexes_made_for_them() {
    let log = Asked::default();
    let world = World::noted(2, &log).await;
    let cases = cases(&world, &log).await;
    fill(&world).await;
    let mut connection = world.db.acquire().await.unwrap();
    let mut all = String::new();
    for case in &cases {
        for mode in [PlanFor::AnyArguments, PlanFor::TheseArguments] {
            let plan = case.query.explain(&mut connection, mode).await.unwrap();
            let (name, shape) = (case.query.name, plan.shape());
            for table in GROWING {
                assert!(!plan.reads_whole(table), "{name}, {mode:?}:\n{shape}");
            }
            let indexes = plan.leading_columns(&mut connection, "survey").await.unwrap();
            for (index, column) in indexes.iter().filter(|_| case.in_one_estate) {
                assert_eq!(column, "estate_id", "{index} of {name}, {mode:?}");
            }
            if mode == PlanFor::TheseArguments && case.is_pictured {
                writeln!(all, "{name}\n{shape}").unwrap();
            }
        }
    }
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("query_plans", all);
    });
}

async fn cases(world: &World, log: &Asked) -> Vec<Case> {
    let (estate, manager) = (world.estate, world.manager());
    let estate_id = estate.to_string();
    let wave = world.running("plans", content(), census()).await;
    let running = log.last("WHERE state = 'running'").unwrap();
    let household = world.household(0);
    let customer = household.customer.unwrap();
    let entered = world.submit(&wave, 0, answers(5)).await;
    let entrance = log.last("SELECT w.body").unwrap();
    world.figures(&wave).await;
    let valid = log.last("AND verdict = 'valid' ORDER BY receive_time").unwrap();
    let numbers = log.last("FROM survey.quota_cells WHERE estate_id = $1").unwrap();

    let list = pb::ListWavesRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.waves().list_waves(manager.asks(list)).await.unwrap();
    let waves = log.last("ORDER BY sort_time DESC, id DESC LIMIT $7").unwrap();
    let list = pb::ListResultPagesRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.results().list_result_pages(manager.asks(list)).await.unwrap();
    let pages = log.last("jsonb_typeof(body -> 'page')").unwrap();
    let list = pb::ListFrameMembersRequest { wave_id: wave.id.clone(), ..Default::default() };
    world.waves().list_frame_members(manager.asks(list)).await.unwrap();
    let members = log.last("FROM survey.frame_members").unwrap();
    let list = |wave_id: String| pb::ListInvitationsRequest { wave_id, ..Default::default() };
    world.responses().list_invitations(manager.asks(list(wave.id.clone()))).await.unwrap();
    let invited = log.last("WHERE estate_id = $1 AND wave_id = $2 AND ($3::uuid").unwrap();
    world.responses().list_invitations(world.resident(0).asks(list(String::new()))).await.unwrap();
    let own_invitations = log.last("WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::text").unwrap();
    let list = pb::ListResponsesRequest { wave_id: wave.id.clone(), ..Default::default() };
    world.responses().list_responses(manager.asks(list)).await.unwrap();
    let responses = log.last("ORDER BY r.receive_time DESC").unwrap();
    let list = pb::ListResponseRevisionsRequest { response_id: entered.id.clone(), ..Default::default() };
    world.responses().list_response_revisions(manager.asks(list)).await.unwrap();
    let revisions = log.last("FROM survey.response_revisions").unwrap();
    let list = pb::ListSessionsRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.sessions().list_sessions(manager.asks(list)).await.unwrap();
    let sessions = log.last("FROM survey.sessions").unwrap();
    let rank = pb::RankNeedsRequest { wave_id: wave.id.clone(), top: 0 };
    world.sessions().rank_needs(manager.asks(rank)).await.unwrap();
    let needs = log.last("jsonb_array_elements").unwrap();
    let list = |overdue_only| pb::ListFeedbackRequest { estate_id: estate_id.clone(), overdue_only, ..Default::default() };
    world.feedback().list_feedback(manager.asks(list(false))).await.unwrap();
    let feedback = log.last("FROM survey.feedback_items").unwrap();
    world.feedback().list_feedback(manager.asks(list(true))).await.unwrap();
    let overdue = log.last("is_collation_overdue").unwrap();
    let list = pb::ListAdoptedFeedbackRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.feedback().list_adopted_feedback(manager.asks(list)).await.unwrap();
    let adopted = log.last("state IN ('adopted', 'done')").unwrap();
    world.feedback().list_feedback(world.resident(0).asks(pb::ListFeedbackRequest::default())).await.unwrap();
    let own_feedback = log.last("FROM survey.feedback_items\n          WHERE customer_id = $1").unwrap();
    let (from_date, to_date) = ("2026-07-01".to_owned(), "2026-07-31".to_owned());
    let ask = pb::SummariseFeedbackRequest { estate_id: estate_id.clone(), from_date: from_date.clone(), to_date: to_date.clone() };
    world.feedback().summarise_feedback(manager.asks(ask)).await.unwrap();
    let topics = log.last("body ->> 'topic'").unwrap();
    let list = pb::ListImprovementPlansRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.improvements().list_improvement_plans(manager.asks(list)).await.unwrap();
    let plans = log.last("FROM survey.improvement_plans").unwrap();
    let list = pb::ListReportsRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.reports().list_reports(manager.asks(list)).await.unwrap();
    let reports = log.last("FROM survey.reports WHERE estate_id").unwrap();
    let list = pb::ListMysteryVisitsRequest { estate_id: estate_id.clone(), ..Default::default() };
    world.mystery_visits().list_mystery_visits(manager.asks(list)).await.unwrap();
    let visits = log.last("state IN ('scored', 'appealed', 'final')").unwrap();
    let ask = pb::SummariseWaveCostsRequest { estate_id: estate_id.clone(), from_date: from_date.clone(), to_date: to_date.clone() };
    world.waves().summarise_wave_costs(manager.asks(ask)).await.unwrap();
    let costs = log.last("cost_fen").unwrap();
    let compute = metric::ComputeMetricsRequest {
        estate_ids: vec![estate_id.clone()],
        period: Some(metric::MetricPeriod { from_date, to_date }),
        plan_code: "test".to_owned(),
        definitions: [
            "csat_rate",
            "suggestion_adoption_rate",
            "collation_rate",
            "improvement_plans_done",
            "improvement_effect",
            "interview_rounds_done",
        ]
        .map(crate::metrics::definition)
        .into(),
        ..Default::default()
    };
    world.metrics().compute_metrics(world.operations().asks(compute)).await.unwrap();
    let happened = |instant: &str| log.last(&format!("body ->> '{instant}') >= p.start_time")).unwrap();
    let [launched, assessed, collating] = ["launch_time", "assess_time", "collate_due_time"].map(happened);
    let [implemented, verified, rounds] = ["implement_time", "end_time", "hold_time"].map(happened);

    let (wave, household) = (wave.id, household.id);
    let (first, later) = ("NULL, NULL".to_owned(), format!("'2025-09-01Z', '{household}'"));
    let july = "'2026-06-30T16:00:00Z', '2026-07-31T16:00:00Z'";
    let stretch = format!("'{{{estate}}}', '{{2026-06-30T16:00:00Z}}', '{{2026-07-31T16:00:00Z}}'");
    let query = |name, sql: &str, arguments: String| PlannedQuery::new(name, sql, arguments);
    let case = |name, sql: &str, arguments| Case { query: query(name, sql, arguments), in_one_estate: true, is_pictured: true };
    let anywhere = |name, sql: &str, arguments| Case { query: query(name, sql, arguments), in_one_estate: false, is_pictured: true };
    let whole = |name, sql: &str, arguments| Case { query: query(name, sql, arguments), in_one_estate: true, is_pictured: false };
    let listed = |page: &str| format!("'{estate}', NULL, NULL, NULL, {page}, 51");
    let newest = |page: &str| format!("'{estate}', {page}, 51");
    vec![
        case("waves of an estate, first page", &waves, listed(&first)),
        case("waves of an estate, later page", &waves, listed(&later)),
        case("published results of an estate", &pages, newest(&later)),
        case("the frame of a wave", &members, format!("'{estate}', '{wave}', NULL, NULL, '{household}', 51")),
        case("invitations of a wave", &invited, format!("'{estate}', '{wave}', NULL, NULL, '{household}', 51")),
        anywhere("invitations of a customer", &own_invitations, format!("'{customer}', NULL, NULL, NULL, 51")),
        case("responses of a wave", &responses, format!("'{estate}', '{wave}', NULL, false, {later}, 51")),
        case("what a response said", &revisions, format!("'{estate}', '{}', NULL, 51", entered.id)),
        Case {
            is_pictured: false,
            ..anywhere(
                "what an answer is judged by",
                &entrance,
                format!("'{wave}', '{}', '{household}', NULL, '{customer}', '\\x00', NULL", request_id()),
            )
        },
        whole("valid responses of waves", &valid, format!("'{{{estate}}}', '{{{wave}}}'")),
        whole("the numbers of a wave", &numbers, format!("'{estate}', '{wave}'")),
        case("sessions of an estate", &sessions, listed(&later)),
        whole("needs of a wave", &needs, format!("'{estate}', '{wave}', 3")),
        case("feedback of an estate", &feedback, listed(&later)),
        case("feedback that is overdue", &overdue, format!("'{estate}', {later}, 51, NULL")),
        case("feedback that was adopted", &adopted, newest(&later)),
        anywhere("feedback of a customer", &own_feedback, format!("'{customer}', NULL, NULL, {later}, 51")),
        case("feedback of a month by topic", &topics, format!("'{estate}', {july}")),
        case("improvement plans of an estate", &plans, listed(&later)),
        case("reports of an estate", &reports, format!("'{estate}', {later}, 51, NULL")),
        case("mystery visits that were made", &visits, newest(&later)),
        // The wave that one is compared with is found by its id, in its estate or not.
        Case { is_pictured: false, ..anywhere("waves launched in a month", &launched, format!("{stretch}, '{{signing}}'")) },
        case("what the waves of a month cost", &costs, format!("'{estate}', {july}")),
        case("feedback assessed in a month", &assessed, stretch.clone()),
        case("feedback to be collated in a month", &collating, stretch.clone()),
        case("plans implemented in a month", &implemented, stretch.clone()),
        case("plans verified in a month", &verified, stretch.clone()),
        case("interview rounds of a month", &rounds, stretch.clone()),
        anywhere("frames that are being made", &running, "20".to_owned()),
    ]
}

/// Two years of five estates.
async fn fill(world: &World) {
    let estate = "CASE WHEN n % 5 = 0 THEN w.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END";
    let record = |table: &str, state: &str, rows: u32, body: &str| {
        format!(
            "INSERT INTO survey.{table} (estate_id, id, state, parent_id, customer_id, sort_time, body, texts, row_version, update_time)
             SELECT {estate}, gen_random_uuid(), {state}, w.parent_id, gen_random_uuid(), at, {body}, '', 1, at
               FROM (SELECT * FROM survey.waves LIMIT 1) w, generate_series(1, {rows}) n,
                    LATERAL (SELECT '2024-07-01Z'::timestamptz + n * interval '1 minute' * (1050000.0 / {rows}) AS at) AS time;"
        )
    };
    let moment = |name: &str| format!("jsonb_build_object('{name}', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))");
    let items = format!(
        "{} || {} || jsonb_build_object('is_collation_overdue', n % 100 = 0, 'topic', 'topic-' || n % 9)",
        moment("assess_time"),
        moment("collate_due_time")
    );
    let mut fill = record("waves", "'closed'", 3_000, &format!("w.body || {} || {}", moment("launch_time"), moment("close_time")));
    fill += &record("frame_jobs", "'done'", 3_000, "'{}'");
    fill += &record("sessions", "'held'", 4_000, &format!("{} || '{{\"kind\": \"interview\", \"themes\": []}}'", moment("hold_time")));
    fill += &record("feedback_items", "CASE WHEN n % 50 = 0 THEN 'done' ELSE 'assessed' END", 8_000, &items);
    fill += &record("improvement_plans", "'verified'", 4_000, &format!("{} || {}", moment("implement_time"), moment("end_time")));
    fill += &record("reports", "'submitted'", 3_000, "'{\"kind\": \"annual\"}'");
    fill += &record("mystery_visits", "'final'", 4_000, "'{}'");
    fill += "
        INSERT INTO survey.frame_members (estate_id, wave_id, household_id, unit_id, customer_id, verdict, reason_code, stratum, draw_position,
            design_weight, invitation_id)
        SELECT estate_id, wave_id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'sampled', '', '', 1, 1000000, gen_random_uuid()
          FROM (SELECT estate_id, id AS wave_id, 150 AS size FROM survey.waves WHERE state = 'closed' LIMIT 100) w, generate_series(1, size) n
         UNION ALL
        SELECT estate_id, id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'sampled', '', '', 1, 1000000, gen_random_uuid()
          FROM survey.waves, generate_series(1, 1500) n WHERE state = 'launched';
        INSERT INTO survey.invitations (estate_id, id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight,
            reminder_count, holds_place, failure_code, invite_time, row_version)
        SELECT estate_id, invitation_id, wave_id, household_id, unit_id, customer_id, 'responded', '', 1000000, 0, false, '', '2025-01-01Z', 1
          FROM survey.frame_members WHERE draw_position = 1 AND NOT EXISTS (SELECT FROM survey.invitations i WHERE i.id = invitation_id);
        INSERT INTO survey.responses (estate_id, id, wave_id, household_id, mode, verdict, stratum, design_weight, revision, body, texts,
            device_mark, occur_time, receive_time, row_version)
        SELECT estate_id, gen_random_uuid(), wave_id, household_id, 'online', 'valid', '', 1000000, 1, '{\"answers\": []}', '',
               sha256(household_id::text::bytea), '2026-07-01Z',
               CASE WHEN n % 2 = 0 THEN '2026-07-01Z' ELSE '2024-07-01Z' END::timestamptz + n * interval '1 minute', 1
          FROM (SELECT *, row_number() OVER () AS n FROM survey.frame_members) f;
        INSERT INTO survey.response_keys (id, estate_id, wave_id, receive_time)
        SELECT id, estate_id, wave_id, receive_time FROM survey.responses ON CONFLICT DO NOTHING;
        INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
        SELECT estate_id, wave_id, household_id, id FROM survey.responses WHERE household_id IS NOT NULL ON CONFLICT DO NOTHING;
        INSERT INTO survey.response_revisions (estate_id, response_id, revision, verdict, body, texts, author, record_time)
        SELECT estate_id, id, 1, 'valid', '{}', '', 'x', receive_time FROM survey.responses ON CONFLICT DO NOTHING;";
    let large = "survey.waves, survey.frame_jobs, survey.sessions, survey.feedback_items, \
        survey.improvement_plans, survey.reports, survey.mystery_visits, survey.frame_members, \
        survey.invitations, survey.response_keys, survey.participants, survey.responses_default, \
        survey.responses_y2026m07, survey.response_revisions_default, \
        survey.response_revisions_y2026m07";
    query_plans::fill(&world.db, &fill, large).await.unwrap();
}
