//! Row 11: the register of an estate from CSV, through upload, plan, review and application; beside COPY of the same lines into a table
//! that knows nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use sqlx::PgPool;
use steward_proto::customer::v1::{
    ApplyEstateImportRequest, CreateEstateImportRequest, EstateImport, EstateImportState, GetEstateImportRequest,
    UploadEstateImportRequest, estate_import_service_client::EstateImportServiceClient,
};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{caller::Bearer, paired::Pairs, row::Row, stage::Stage};

/// Size of the parts of an upload.
const PART_BYTES: usize = 256 * 1024;

const HEADER: &str = "building,entrance,unit,floor,area_sqm,premises_type,delivery_date,occupancy,customer_kind,name,phone,email,id_number,role,\
                      from_date,to_date,language\n";

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let (count, turns) = if stage.options.quick { (1_000, 2) } else { (10_000, 5) };
    let bearer = Bearer::new(&stage.operations()?)?;
    let service = stage.start("customer").await?;
    let imports = Imports { client: EstateImportServiceClient::new(service.channel().await?), bearer };
    sqlx::query("DROP TABLE IF EXISTS public.bench_lines").execute(stage.pool()).await?;
    let columns = HEADER.trim().replace(',', " text, ");
    let plain = sqlx::AssertSqlSafe(format!("CREATE TABLE public.bench_lines ({columns} text)"));
    sqlx::query(plain).execute(stage.pool()).await.context("making a plain table")?;

    let mut again = Vec::new();
    let turn = std::cell::Cell::new(0_u32);
    let product = async || {
        turn.set(turn.get() + 1);
        let estate = estate(stage.pool()).await?;
        let csv = lines(turn.get(), count);
        let first = imports.run(estate, &csv, count).await?;
        // The whole of it is known by now: what is left is finding that out.
        again.push(rate(count, imports.run(estate, &csv, count).await?));
        Ok(rate(count, first))
    };
    let pairs = Pairs::measured(turns, product, async || copy(stage.pool(), &lines(0, count), count).await).await?;
    sqlx::query("DROP TABLE public.bench_lines").execute(stage.pool()).await?;
    service.stop()?;
    let again = crate::quantiles::median(again);
    Ok(vec![Row::paired(11, "import with deduplication, against COPY", &pairs, "rows/s").at_least(0.10, 0.25).note(format!(
        "{count} lines a turn, one estate: received, judged, written with units, households, customers and tenures, numbers sealed; the \
         same file again {again:.0} rows/s"
    ))])
}

/// An estate that nobody knows yet.
async fn estate(pool: &PgPool) -> Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query(
        "WITH added AS (INSERT INTO customer.estates (id, group_id, region_id, name, code, city_code, time_zone, premises_type, create_time,
             update_time) VALUES ($1, md5('bench')::uuid, md5('bench')::uuid, 'Estate ' || $1, left($1::text, 13), '330100', 'Asia/Shanghai',
             'residential', '2020-01-01Z', '2020-01-01Z'))
         UPDATE customer.policy_epoch SET epoch = epoch + 1",
    )
    .bind(id)
    .execute(pool)
    .await
    .context("making an estate")?;
    Ok(id)
}

/// Lines of as many homes, each with its owner.
fn lines(turn: u32, count: u32) -> String {
    let line = |n: u32| {
        let (building, unit) = (n / 120 + 1, n % 120);
        let (floor, door) = (unit / 4 + 1, unit % 4 + 1);
        let phone = u64::from(turn) * 10_000_000 + u64::from(n);
        format!(
            "{building},1,{floor}{door:02},{floor},108.75,residential,2024-03-31,occupied,person,住户{n},199{phone:08},,,owner,2024-03-31,,zh-CN\n"
        )
    };
    (0..count).fold(HEADER.to_owned(), |file, n| file + &line(n))
}

struct Imports {
    client: EstateImportServiceClient<Channel>,
    bearer: Bearer,
}

impl Imports {
    /// A whole import; how long from announcing the file to its last row.
    async fn run(&self, estate: Uuid, csv: &str, count: u32) -> Result<Duration> {
        let begun = Instant::now();
        let mut client = self.client.clone();
        let request = CreateEstateImportRequest {
            request_id: Uuid::now_v7().to_string(),
            estate_id: estate.to_string(),
            file_name: "register.csv".to_owned(),
            size_bytes: i64::try_from(csv.len())?,
            sha256: digest(&SHA256, csv.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let made = client.create_estate_import(self.bearer.asks(request)).await.context("announcing a file")?;
        let import_id = made.into_inner().import.context("an answer without its import")?.id;
        let mut parts = Vec::new();
        for (index, part) in csv.as_bytes().chunks(PART_BYTES).enumerate() {
            let offset = i64::try_from(index * PART_BYTES)?;
            parts.push(UploadEstateImportRequest { import_id: import_id.clone(), offset, data: part.to_vec().into() });
        }
        client.upload_estate_import(self.bearer.asks(futures::stream::iter(parts))).await.context("uploading a file")?;
        let planned = self.reach(&import_id, EstateImportState::Planned).await?;
        let refused = planned.progress.as_ref().map_or(0, |progress| progress.refused_count);
        ensure!(refused == 0, "{refused} lines were refused");
        let request = ApplyEstateImportRequest { request_id: Uuid::now_v7().to_string(), import_id: import_id.clone(), etag: planned.etag };
        client.apply_estate_import(self.bearer.asks(request)).await.context("applying an import")?;
        let applied = self.reach(&import_id, EstateImportState::Applied).await?;
        let settled = applied.progress.map_or(0, |progress| progress.applied_count);
        ensure!(settled == i32::try_from(count)?, "{settled} of {count} lines were settled");
        Ok(begun.elapsed())
    }

    async fn reach(&self, import_id: &str, wanted: EstateImportState) -> Result<EstateImport> {
        let begun = Instant::now();
        loop {
            let request = GetEstateImportRequest { import_id: import_id.to_owned() };
            let import = self.client.clone().get_estate_import(self.bearer.asks(request)).await?.into_inner().import;
            let import = import.context("an answer without its import")?;
            if import.state() == wanted {
                return Ok(import);
            }
            ensure!(import.state() != EstateImportState::Failed, "the import failed: {}", import.failure_code);
            ensure!(begun.elapsed() < Duration::from_secs(180), "the import was not {} within three minutes", wanted.as_str_name());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The same lines as they are.
async fn copy(pool: &PgPool, csv: &str, count: u32) -> Result<f64> {
    let begun = Instant::now();
    let mut connection = pool.acquire().await?;
    let mut into = connection.copy_in_raw("COPY public.bench_lines FROM STDIN WITH (FORMAT csv, HEADER true)").await.context("COPY")?;
    into.send(csv.as_bytes()).await?;
    into.finish().await?;
    Ok(rate(count, begun.elapsed()))
}

fn rate(count: u32, elapsed: Duration) -> f64 {
    f64::from(count) / elapsed.as_secs_f64()
}
