//! The board of work-order for 430 estates and every metric of the service, asked through the RPC: counted from the rows, and when
//! it was counted before. The second must cost no more when there are four times as many cases; and what a write pays for it is
//! measured in the same database.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgPool};
use steward_harness::cases::Cases;
use steward_harness::in_process::Host;
use steward_harness::{Claims, Issuer, PrivateDir, TestDatabase, TestRedis};
use steward_kit::clock::Clock;
use steward_kit::metric::{Owner, metric, metrics};
use steward_proto::metric::v1 as pb;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_work_order::Config;
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    row::{Goal, Row},
    stage::Stage,
    tell,
    timed::{median, ms},
};

const NOW: &str = "2026-03-25T02:00:00Z";
/// When March began in the estates.
const MONTH: &str = "2026-02-28T16:00:00Z";
const CASES: i32 = 260;

/// In a database of its own and in this process: the clock has to stand where the cases are.
pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let estates = if stage.options.quick { 40 } else { 430 };
    let database = TestDatabase::new().await?;
    let pool = database.superuser().await?;
    seed_estates(&pool, estates).await?;
    tell(format!("seeding {CASES} cases a month in each of {estates} estates"));
    seed_cases(&pool, CASES).await?;

    let dir = PrivateDir::new()?;
    let config = Config { groups: dir.groups("work_order", &database, TestRedis::shared()?)?, customer_url: None };
    let (clock, _hand) = Clock::manual(NOW.parse::<Timestamp>()?);
    let mut host = Host::new();
    let service =
        host.start("work-order", move |listener, shutdown| steward_work_order::serve_by(clock, config, listener, shutdown)).await?;
    let token = Issuer::of_tests().mint(&Claims::staff("ops").role("group_operations").every_estate())?;
    let client = MetricServiceClient::new(service.channel().await?).max_decoding_message_size(64 << 20);
    let caller = Caller { client, token, request: request(&pool).await? };
    let asked = format!("{} metrics of {} estates", caller.request.definitions.len(), caller.request.estate_ids.len());

    let cold = cold(&pool, &caller).await?;
    let warm = median(|| caller.clone().board()).await?;
    touch(&pool, 10).await?;
    let start = Instant::now();
    caller.clone().board().await?;
    let behind = start.elapsed();
    // Three times as many cases beside those that are there.
    seed_cases(&pool, CASES * 3).await?;
    let cold_of_more = self::cold(&pool, &caller).await?;
    let warm_of_more = median(|| caller.clone().board()).await?;
    let noted = write(&pool).await?;
    for table in ["case_facts", "clocks"] {
        sqlx::query(AssertSqlSafe(format!("ALTER TABLE work_order.{table} DISABLE TRIGGER USER"))).execute(&pool).await?;
    }
    let plain = write(&pool).await?;
    Ok(vec![
        Row::ratio(0, "board counted before, 4 x the cases", ms(warm_of_more), ms(warm), "ms").bar(Goal::AtMost(1.5)).note(asked),
        Row::ratio(0, "board counted before / from the rows", ms(warm), ms(cold), "ms")
            .bar(Goal::AtMost(1.0 / 1.5))
            .note(format!("with 4 x the cases {:.1} x less", ms(cold_of_more) / ms(warm_of_more))),
        Row::ratio(0, "board counted before, 10 estates changed", ms(behind), ms(warm), "ms"),
        Row::ratio(0, "an order's rows, noted for the board", ms(noted), ms(plain), "ms"),
    ])
}

#[derive(Clone)]
struct Caller {
    client: MetricServiceClient<Channel>,
    token: String,
    request: pb::ComputeMetricsRequest,
}

impl Caller {
    async fn board(mut self) -> Result<()> {
        let mut request = Request::new(self.request);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().context("a token")?);
        let values = self.client.compute_metrics(request).await?.into_inner().values;
        ensure!(values.iter().any(|value| value.n > 0), "an empty board");
        Ok(())
    }
}

/// Nothing is kept.
async fn cold(pool: &PgPool, caller: &Caller) -> Result<Duration> {
    sqlx::query("ANALYZE work_order.clocks, work_order.case_facts").execute(pool).await?;
    let mut times = Vec::new();
    for _ in 0..3 {
        sqlx::query("DELETE FROM work_order.figure_tallies").execute(pool).await?;
        sqlx::query("SELECT work_order.tend_figures('2020-01-01Z')").execute(pool).await?;
        let start = Instant::now();
        caller.clone().board().await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[1])
}

async fn request(pool: &PgPool) -> Result<pb::ComputeMetricsRequest> {
    let own = metrics().iter().filter(|one| one.owner == Owner::WorkOrder && metric(one.id, None).is_some_and(|first| first == *one));
    Ok(pb::ComputeMetricsRequest {
        estate_ids: sqlx::query_scalar("SELECT id::text FROM work_order.estates ORDER BY id").fetch_all(pool).await?,
        period: Some(pb::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() }),
        definitions: own.map(|one| pb::MetricDefinition { metric_id: one.id.to_owned(), ..Default::default() }).collect(),
        ..Default::default()
    })
}

async fn seed_estates(pool: &PgPool, estates: i64) -> Result<()> {
    sqlx::query(
        "WITH added AS (INSERT INTO work_order.estates (id, group_id, region_id, name, time_zone, create_time, update_time)
              SELECT md5('estate' || n)::uuid, md5('group')::uuid, md5('region')::uuid, 'Estate ' || n, 'Asia/Shanghai', $2::timestamptz,
                     $2::timestamptz FROM generate_series(1, $1::bigint) AS n)
         UPDATE work_order.policy_epoch SET epoch = epoch + 1",
    )
    .bind(estates)
    .bind(NOW)
    .execute(pool)
    .await?;
    Ok(())
}

/// The cases of the month so far, of every estate.
async fn seed_cases(pool: &PgPool, cases: i32) -> Result<()> {
    let estates: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM work_order.estates").fetch_all(pool).await?;
    Cases { from: MONTH.parse()?, days: 24, of_each: cases, are_closed: true }.fill(pool, &estates).await?;
    sqlx::query("VACUUM (ANALYZE) work_order.clocks, work_order.case_facts, work_order.figure_changes").execute(pool).await?;
    Ok(())
}

/// One case of each of so many estates changes.
async fn touch(pool: &PgPool, estates: i64) -> Result<()> {
    sqlx::query(
        "UPDATE work_order.case_facts f SET standing = 'error'
           FROM (SELECT DISTINCT ON (estate_id) estate_id, work_order_id FROM work_order.case_facts ORDER BY estate_id LIMIT $1) AS one
          WHERE f.estate_id = one.estate_id AND f.work_order_id = one.work_order_id",
    )
    .bind(estates)
    .execute(pool)
    .await?;
    Ok(())
}

/// The rows of one order in one statement, as a verb writes them.
async fn write(pool: &PgPool) -> Result<Duration> {
    let statement = "
        WITH one AS MATERIALIZED (SELECT estate_id, work_order_id FROM work_order.case_facts LIMIT 1), clocks AS (
            UPDATE work_order.clocks k SET stop_time = k.stop_time FROM one
             WHERE k.estate_id = one.estate_id AND k.work_order_id = one.work_order_id
        )
        UPDATE work_order.case_facts f SET score = f.score FROM one
         WHERE f.estate_id = one.estate_id AND f.work_order_id = one.work_order_id";
    let mut times = Vec::new();
    let mut connection = pool.acquire().await?;
    for _ in 0..300 {
        let start = Instant::now();
        sqlx::query(statement).execute(&mut *connection).await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
