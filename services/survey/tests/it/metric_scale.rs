//! S4: the quarter of 430 estates, every metric of this service: a wave an estate with 300 answers to the annual questionnaire.

use std::time::{Duration, Instant};

use steward_kit::metric::{Owner, metrics};
use steward_proto::metric::v1 as metric;
use uuid::Uuid;

use crate::content::{answers, content};
use crate::metrics::definition;
use crate::world::{World, census};

const ESTATES: usize = 430;

/// The first answer of the wave, three hundred times in each estate, with other levels.
const FILL: &str = r#"
WITH waves AS (
    INSERT INTO survey.waves (estate_id, id, state, parent_id, sort_time, body, texts, row_version, update_time)
    SELECT e, gen_random_uuid(), state, parent_id, sort_time, body, texts, 1, update_time FROM survey.waves, unnest($1::uuid[]) AS e
    RETURNING estate_id, id
), asked AS (
    INSERT INTO survey.frame_members (estate_id, wave_id, household_id, unit_id, verdict, reason_code, stratum, draw_position, design_weight)
    SELECT estate_id, id, gen_random_uuid(), gen_random_uuid(), 'sampled', '', '', n, 1000000 FROM waves, generate_series(1, 1000) n
)
INSERT INTO survey.responses (estate_id, id, wave_id, mode, verdict, stratum, design_weight, revision, body, texts, occur_time,
    receive_time, row_version)
SELECT w.estate_id, gen_random_uuid(), w.id, mode, verdict, stratum, CASE WHEN n % 3 = 0 THEN 500000 ELSE 1000000 END, 1,
       jsonb_set(body, '{answers,10,value,scale}', to_jsonb(1 + n % 5)), ''::bytea, occur_time, receive_time, 1
  FROM waves w, survey.responses r, generate_series(1, 300) n"#;

/// S4
#[tokio::test]
#[ignore = "fills hundreds of thousands of rows; a minute"]
async fn the_quarter_of_430_estates_is_counted_in_seconds() {
    let world = World::of(1).await;
    let wave = world.running("annual", content(), census()).await;
    world.submit(&wave, 0, answers(5)).await;
    let estates: Vec<Uuid> = (0..ESTATES).map(|_| Uuid::now_v7()).collect();
    for estate in &estates {
        world.register_estate(*estate).await;
    }
    sqlx::query(FILL).bind(&estates).execute(&world.db).await.unwrap();
    sqlx::query("ANALYZE survey.waves, survey.responses, survey.frame_members").execute(&world.db).await.unwrap();
    let own = metrics().iter().filter(|one| one.owner == Owner::Survey);
    let definitions: Vec<_> = own.map(|one| definition(one.id)).collect();
    let timed = async |estates: &[Uuid], to_date: &str| {
        let request = metric::ComputeMetricsRequest {
            estate_ids: estates.iter().map(Uuid::to_string).collect(),
            period: Some(metric::MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: to_date.to_owned() }),
            definitions: definitions.clone(),
            ..Default::default()
        };
        let start = Instant::now();
        let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
        (start.elapsed(), values)
    };
    let (first, _) = timed(&estates, "2026-07-01").await;
    let (one, _) = timed(&estates[..1], "2026-09-29").await;
    let (cold, counted) = timed(&estates, "2026-09-30").await;
    let (warm, kept) = timed(&estates, "2026-09-30").await;
    let total = counted.iter().find(|value| value.estate_id.is_empty() && value.metric_id == "csat_rate").unwrap();
    assert_eq!(total.n, i64::try_from(ESTATES * 300).unwrap());
    let bare =
        |values: Vec<metric::MetricValue>| values.into_iter().map(|one| (one.metric_id, one.estate_id, one.numerator)).collect::<Vec<_>>();
    assert_eq!(bare(counted), bare(kept));
    eprintln!("{} metrics: one estate {one:?}, {ESTATES} estates {cold:?}, kept {warm:?} (memory filled in {first:?})", definitions.len());
    assert!(warm < cold / 5 && cold < Duration::from_secs(60), "{cold:?}, {warm:?}");
}
