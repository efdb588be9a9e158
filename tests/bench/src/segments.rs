//! Segments over one million households, asked through the RPC: a selective one of four conditions in under 50 ms, a broad one
//! in no more than twice a parallel scan of the table in the same database.

use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, tz::TimeZone};
use sqlx::{AssertSqlSafe, PgPool};
use steward_kit::predicate::ask;
use steward_proto::{
    common::v1::{Predicate, Unit},
    customer::v1::{self as pb, segment_service_client::SegmentServiceClient},
};
use tonic::{Request, transport::Channel};

use crate::{
    paired::Pairs,
    row::{Goal, Row},
    stage::Stage,
    tell,
    timed::{median, ms},
};

const ESTATES: i64 = 500;

/// The selective segment as somebody would write it for one evening's question.
const NARROW: &str = "
    SELECT count(*) FROM customer.household_facts f
     WHERE f.is_main AND f.moved_in_date BETWEEN $1::date - 30 AND $1::date AND f.tags && ARRAY['elderly'] AND f.occupancy = 'occupied'
       AND f.age >= 60";

/// The broad one.
const BROAD: &str = "
    SELECT count(*) FROM customer.household_facts f
     WHERE f.is_main AND f.is_delivered AND f.occupancy IN ('occupied', 'leased', 'vacant') AND NOT f.has_major_complaint
       AND f.member_count >= 1 AND $1::date IS NOT NULL";

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let (pool, rows) = (stage.pool(), i64::from(stage.options.customers));
    let now = stage.clock.now();
    let today = now.to_zoned(TimeZone::get("Asia/Shanghai")?).date().to_string();
    tell(format!("seeding {rows} households in {ESTATES} estates"));
    seed(pool, rows, now).await?;
    let service = stage.start("customer").await?;
    let mut caller = Caller { client: SegmentServiceClient::new(service.channel().await?), token: stage.operations()? };

    let selective = ask::all([
        ask::within_last("household.moved_in_date", 30, Unit::Day),
        ask::has_any("tag", ["elderly"]),
        ask::equals("household.occupancy", ["occupied"]),
        ask::at_least("customer.age", 60),
    ]);
    let broad = ask::all([
        ask::is_true("household.is_delivered"),
        ask::equals("household.occupancy", ["occupied", "leased", "vacant"]),
        ask::not(ask::is_true("household.has_major_complaint")),
        ask::at_least("household.member_count", 1),
    ]);
    let few = caller.count(&selective).await?;
    let many = caller.count(&broad).await?;
    ensure!(few > 0 && few < rows / 100, "the selective segment is not selective: {few}");
    ensure!(many > rows / 2, "the broad segment is not broad: {many}");
    for (name, by_hand, counted) in [("selective", NARROW, few), ("broad", BROAD, many)] {
        let said: i64 = sqlx::query_scalar(by_hand).bind(&today).fetch_one(pool).await?;
        ensure!(said == counted, "the {name} segment has {counted} households, by hand {said}");
    }

    let hand = async |sql: &'static str| timed(|| by_hand(pool, sql, &today)).await;
    let turns = stage.options.turns();
    let narrow = Pairs::measured(turns, async || timed(|| caller.clone().counted(&selective)).await, async || hand(NARROW).await).await?;
    let wide = Pairs::measured(turns, async || timed(|| caller.clone().counted(&broad)).await, async || hand(BROAD).await).await?;
    let scanned =
        Pairs::measured(turns, async || timed(|| caller.clone().counted(&broad)).await, async || timed(|| scan(pool)).await).await?;
    service.stop()?;
    Ok(vec![
        Row::paired(12, format!("segment of {few}, by hand-written SQL"), &narrow, "ms").at_most(1.2, 1.05),
        Row::paired(12, format!("segment of {many}, by hand-written SQL"), &wide, "ms").at_most(1.2, 1.05),
        Row::paired(12, "the same, by one scan of the table", &scanned, "ms").bar(Goal::AtMost(1.5)),
    ])
}

async fn timed<F: Future<Output = Result<()>>>(run: impl FnMut() -> F) -> Result<f64> {
    median(run).await.map(ms)
}

async fn by_hand(pool: &PgPool, sql: &'static str, today: &str) -> Result<()> {
    let _count: i64 = sqlx::query_scalar(sql).bind(today).fetch_one(pool).await?;
    Ok(())
}

#[derive(Clone)]
struct Caller {
    client: SegmentServiceClient<Channel>,
    token: String,
}

impl Caller {
    async fn count(&mut self, predicate: &Predicate) -> Result<i64> {
        let definition = pb::SegmentDefinition { predicate: Some(predicate.clone()), exclusions: vec![] };
        let mut request = Request::new(pb::PreviewSegmentRequest {
            estate_id: String::new(),
            subject: pb::SegmentSubject::Household.into(),
            definition: Some(definition),
        });
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().context("a token")?);
        Ok(self.client.preview_segment(request).await?.into_inner().member_count)
    }

    async fn counted(mut self, predicate: &Predicate) -> Result<()> {
        self.count(predicate).await.map(drop)
    }
}

/// Reads every row of the table, as fast as Postgres can.
async fn scan(pool: &PgPool) -> Result<()> {
    sqlx::query("SELECT sum(f.member_count) FROM customer.household_facts f").execute(pool).await?;
    Ok(())
}

/// Rows as a group of this size would have them; always the same ones. Before the service starts, or it would not know the estates.
pub(crate) async fn seed(pool: &PgPool, rows: i64, now: Timestamp) -> Result<()> {
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM customer.household_facts").fetch_one(pool).await?;
    if there >= rows {
        return Ok(());
    }
    let today = now.to_zoned(TimeZone::get("Asia/Shanghai")?).date().to_string();
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes
          WHERE schemaname = 'customer' AND tablename = 'household_facts' AND indexname <> 'household_facts_pkey'",
    )
    .fetch_all(pool)
    .await?;
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("DROP INDEX customer.{name}"))).execute(pool).await?;
    }
    sqlx::query(
        "INSERT INTO customer.estates (id, group_id, region_id, name, code, city_code, time_zone, premises_type, create_time, update_time)
         SELECT md5('estate' || n)::uuid, md5('group')::uuid, md5('region' || n % 20)::uuid, 'Estate ' || n, 'E' || n, '330100',
                'Asia/Shanghai', 'residential', $2::timestamptz, $2::timestamptz
           FROM generate_series(0, $1::bigint - 1) AS n",
    )
    .bind(ESTATES)
    .bind(now.to_string())
    .execute(pool)
    .await?;
    // The service has seen some of the estates already, if other rows came before.
    sqlx::query(
        "INSERT INTO customer.fact_days (estate_id, fact_date) SELECT id, $1::date FROM customer.estates
         ON CONFLICT ON CONSTRAINT fact_days_pkey DO UPDATE SET fact_date = EXCLUDED.fact_date",
    )
    .bind(&today)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO customer.household_facts (household_id, customer_id, estate_id, unit_id, is_main, occupancy, occupancy_date,
             delivered_date, is_delivered, moved_in_date, is_renovating, has_major_complaint, member_count, has_owner, is_reachable,
             unit_kind, building_code, floor, area_square_metres, tenure_role, tenure_from_date, party, customer_kind, journey_stage,
             journey_node, age, age_band, tier, contact_mode, do_not_disturb, preferred_language, tags, household_tags, service_use,
             update_time)
         SELECT md5('household' || n)::uuid, md5('customer' || n)::uuid, md5('estate' || n % $2)::uuid, md5('unit' || n)::uuid, true,
                CASE WHEN r.a < 55 THEN 'occupied' WHEN r.a < 70 THEN 'leased' WHEN r.a < 80 THEN 'vacant'
                     WHEN r.a < 88 THEN 'delivered' WHEN r.a < 95 THEN 'undelivered' ELSE 'renovating' END,
                r.delivered, r.delivered, r.a < 88 OR r.a >= 95, CASE WHEN r.a < 70 THEN r.delivered + 40 END, r.a >= 95, r.b = 7,
                1 + r.b % 4, true, true, 'residential', (r.b % 30)::text, r.b % 33, 60 + r.b % 120,
                CASE WHEN r.a BETWEEN 55 AND 69 THEN 'tenant' ELSE 'owner' END, r.delivered, 'person', 'owner',
                CASE WHEN r.delivered < $4::date - 1461 THEN 'fourth_year' ELSE 'together' END, 'mid_occupancy', r.age,
                CASE WHEN r.age >= 80 THEN '80_plus' WHEN r.age >= 60 THEN '60_69' ELSE '25_35' END, 'improving', 'online', false, 'zh-CN',
                r.tags, r.tags, jsonb_build_object('parcel_30d', r.b % 9), $3::timestamptz
           FROM generate_series(1, $1::bigint) AS n
          CROSS JOIN LATERAL (SELECT (hashint8(n) & 2147483647) AS h, (hashint8(n + 7777777) & 2147483647) AS g) AS d
          CROSS JOIN LATERAL (
               SELECT d.h % 100 AS a, (d.h / 100) % 1000 AS b, 18 + d.g % 75 AS age, $4::date - 3650 + (d.g / 75) % 3600 AS delivered,
                      array_remove(ARRAY[CASE WHEN d.g % 75 >= 42 AND d.h % 3 = 0 THEN 'elderly' END,
                                         CASE WHEN d.h % 33 = 0 THEN 'business' END, 'group_' || d.h % 50], NULL) AS tags) AS r",
    )
    .bind(rows)
    .bind(ESTATES)
    .bind(now.to_string())
    .bind(&today)
    .execute(pool)
    .await?;
    for (_, definition) in &indexes {
        sqlx::query(AssertSqlSafe(definition.clone())).execute(pool).await?;
    }
    sqlx::query("VACUUM (ANALYZE) customer.household_facts").execute(pool).await?;
    Ok(())
}
