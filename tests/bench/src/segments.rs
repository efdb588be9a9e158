//! Segments over one million households, asked through the RPC: a selective one of four conditions in under 50 ms, a broad one
//! in no more than twice a parallel scan of the table in the same database.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgPool};
use steward_customer::Config;
use steward_harness::in_process::Host;
use steward_harness::{Claims, Issuer, PrivateDir, TestDatabase, TestRedis};
use steward_kit::clock::Clock;
use steward_kit::predicate::ask;
use steward_proto::common::v1::{Predicate, Unit};
use steward_proto::customer::v1 as pb;
use steward_proto::customer::v1::segment_service_client::SegmentServiceClient;
use tonic::Request;
use tonic::transport::Channel;

use crate::{median, ms};

const NOW: &str = "2026-06-10T02:00:00Z";
const ESTATES: i64 = 500;

pub(crate) async fn run(rows: i64) -> Result<()> {
    let database = TestDatabase::new().await?;
    let pool = database.superuser().await?;
    println!("seeding {rows} households in {ESTATES} estates");
    seed(&pool, rows).await?;

    let dir = PrivateDir::new()?;
    let config = Config { groups: dir.groups("customer", &database, TestRedis::shared()?)? };
    let (clock, _hand) = Clock::manual(NOW.parse::<Timestamp>()?);
    let mut host = Host::new();
    let service = host.start("customer", move |listener, shutdown| steward_customer::serve_by(clock, config, listener, shutdown)).await?;
    let token = Issuer::of_tests().mint(&Claims::staff("ops").role("group_operations").every_estate())?;
    let mut caller = Caller { client: SegmentServiceClient::new(service.channel().await?), token };

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

    let scan = median(|| scan(&pool)).await?;
    let narrow_time = median(|| caller.clone().counted(&selective)).await?;
    let broad_time = median(|| caller.clone().counted(&broad)).await?;
    let ratio = broad_time.as_secs_f64() / scan.as_secs_f64();
    println!("parallel scan of the table       {:8.1} ms", ms(scan));
    println!("selective, 4 conditions {few:>8} {:8.1} ms   (promise: under 50 ms)", ms(narrow_time));
    println!("broad, 4 conditions     {many:>8} {:8.1} ms   {ratio:.2} × the scan (promise: at most 2)", ms(broad_time));
    ensure!(narrow_time < Duration::from_millis(50), "the selective segment took {:.1} ms", ms(narrow_time));
    ensure!(ratio <= 2.0, "the broad segment took {ratio:.2} times the scan");
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

/// Rows as a group of this size would have them; always the same ones.
async fn seed(pool: &PgPool, rows: i64) -> Result<()> {
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
    .bind(NOW)
    .execute(pool)
    .await?;
    sqlx::query("INSERT INTO customer.fact_days (estate_id, fact_date) SELECT id, '2026-06-10' FROM customer.estates")
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
                CASE WHEN r.delivered < '2022-06-10' THEN 'fourth_year' ELSE 'together' END, 'mid_occupancy', r.age,
                CASE WHEN r.age >= 80 THEN '80_plus' WHEN r.age >= 60 THEN '60_69' ELSE '25_35' END, 'improving', 'online', false, 'zh-CN',
                r.tags, r.tags, jsonb_build_object('parcel_30d', r.b % 9), $3::timestamptz
           FROM generate_series(1, $1::bigint) AS n
          CROSS JOIN LATERAL (SELECT (hashint8(n) & 2147483647) AS h, (hashint8(n + 7777777) & 2147483647) AS g) AS d
          CROSS JOIN LATERAL (
               SELECT d.h % 100 AS a, (d.h / 100) % 1000 AS b, 18 + d.g % 75 AS age, date '2016-06-01' + (d.g / 75) % 3600 AS delivered,
                      array_remove(ARRAY[CASE WHEN d.g % 75 >= 42 AND d.h % 3 = 0 THEN 'elderly' END,
                                         CASE WHEN d.h % 33 = 0 THEN 'business' END, 'group_' || d.h % 50], NULL) AS tags) AS r",
    )
    .bind(rows)
    .bind(ESTATES)
    .bind(NOW)
    .execute(pool)
    .await?;
    for (_, definition) in &indexes {
        sqlx::query(AssertSqlSafe(definition.clone())).execute(pool).await?;
    }
    sqlx::query("VACUUM (ANALYZE) customer.household_facts").execute(pool).await?;
    Ok(())
}
