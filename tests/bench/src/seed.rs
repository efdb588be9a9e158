//! Orders of years past: one order that the product made, written again and again by statements about whole sets.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use steward_kit::crypto::{FieldCipher, Keyring};
use uuid::Uuid;

use crate::{
    ground::{self, ESTATES},
    tell,
};

/// Orders that one statement writes.
const BATCH: u32 = 10_000;

/// The columns of `work_orders` whose text is sealed for its order.
const SEALED: [&str; 3] = ["description", "location", "texts"];

/// What writes orders into a database.
pub(crate) struct Seeder {
    cipher: FieldCipher,
    /// The order that is written again, with its texts in clear.
    pattern: Uuid,
    texts: Vec<Vec<u8>>,
    connection: PgConnection,
}

impl Seeder {
    /// `keyring` is the file of work-order's keys; `pattern` an order of the database at `url`.
    pub(crate) async fn new(keyring: &std::path::Path, url: &str, pattern: Uuid) -> Result<Self> {
        let text = fs::read_to_string(keyring).context("reading work-order's keys")?;
        let cipher = FieldCipher::new(std::sync::Arc::new(Keyring::parse(&text)?));
        let mut connection = PgConnection::connect(url).await.context("connecting to seed")?;
        // No triggers and no look at what a row refers to: everything is there, and figures of the past are nobody's here.
        connection.execute("SET session_replication_role = replica; SET synchronous_commit = off").await?;
        let sealed: (Vec<u8>, Vec<u8>, Vec<u8>) =
            sqlx::query_as("SELECT description, location, texts FROM work_order.work_orders WHERE id = $1")
                .bind(pattern)
                .fetch_one(&mut connection)
                .await
                .context("reading the pattern")?;
        let columns = SEALED.iter().zip([sealed.0, sealed.1, sealed.2]);
        let opened = columns.map(|(column, sealed)| Ok(cipher.open(place(pattern, column), &sealed)?.to_vec()));
        let texts = opened.collect::<Result<_>>()?;
        Ok(Self { cipher, pattern, texts, connection })
    }

    /// Writes orders until there are so many, the newest of them a day ago; then lets Postgres look at what it has.
    pub(crate) async fn fill(&mut self, wanted: u32, now: Timestamp) -> Result<()> {
        let begun = Instant::now();
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.work_orders").fetch_one(&mut self.connection).await?;
        let there = u32::try_from(there)?;
        if there >= wanted {
            return Ok(());
        }
        let mut from = there;
        while from < wanted {
            let to = wanted.min(from + BATCH);
            self.write(from..to, now).await?;
            from = to;
        }
        settle(&mut self.connection).await?;
        tell(format!("{} orders written, {wanted} are there, {:.0} s", wanted - there, begun.elapsed().as_secs_f64()));
        Ok(())
    }

    async fn write(&mut self, numbers: std::ops::Range<u32>, now: Timestamp) -> Result<()> {
        let mut rows = Rows::default();
        for number in numbers {
            let receive_time = past(now, number)?;
            let id = id_at(receive_time)?;
            rows.ids.push(id);
            rows.estates.push(ground::estate(u64::from(number) % ESTATES));
            rows.units.push(ground::unit(u64::from(number), u64::from(number) * 61));
            rows.customers.push(ground::customer(u64::from(number), u64::from(number) * 61));
            rows.numbers.push(format!("WO-{number:07}"));
            rows.times.push(receive_time.to_sqlx());
            for ((column, text), sealed) in SEALED.iter().zip(&self.texts).zip(&mut rows.sealed) {
                sealed.push(self.cipher.seal(place(id, column), text));
            }
        }
        let [descriptions, locations, texts] = rows.sealed;
        sqlx::query(WRITE)
            .bind(self.pattern)
            .bind(rows.ids)
            .bind(rows.estates)
            .bind(rows.units)
            .bind(rows.customers)
            .bind(rows.numbers)
            .bind(rows.times)
            .bind(descriptions)
            .bind(locations)
            .bind(texts)
            .execute(&mut self.connection)
            .await
            .context("writing orders")?;
        Ok(())
    }
}

#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    estates: Vec<Uuid>,
    units: Vec<Uuid>,
    customers: Vec<Uuid>,
    numbers: Vec<String>,
    times: Vec<jiff_sqlx::Timestamp>,
    sealed: [Vec<Vec<u8>>; 3],
}

/// One in twenty is open, the others were closed.
const WRITE: &str = "
WITH n AS MATERIALIZED (
    SELECT n.*, CASE WHEN n.place % 20 = 0 THEN p.state ELSE 'closed' END AS state, n.time - p.receive_time AS later
      FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::bytea[], $9::bytea[], $10::bytea[])
           WITH ORDINALITY
           AS n(id, estate_id, unit_id, customer_id, number, time, description, location, texts, place),
           (SELECT state, receive_time FROM work_order.work_orders WHERE id = $1) AS p
), orders AS (
    INSERT INTO work_order.work_orders (estate_id, id, number, state, unit_id, customer_id, kind, category, urgency, classified_by,
        channel, description, location, occur_time, receive_time, cycle, urge_count, close_code, memory, texts, history_position,
        history_hash, update_time, row_version)
    SELECT n.estate_id, n.id, n.number, n.state, n.unit_id, n.customer_id, p.kind, p.category, p.urgency, p.classified_by, p.channel,
           n.description, n.location, n.time, n.time, 1, 0, CASE WHEN n.state = 'closed' THEN 'resolved' END, p.memory, n.texts,
           p.history_position, p.history_hash, n.time, 1
      FROM n, (SELECT * FROM work_order.work_orders WHERE id = $1) AS p
), clocks AS (
    INSERT INTO work_order.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time, stop_time,
        verdict, provisional, clock)
    SELECT n.estate_id, n.id, 1, c.name, c.generation, c.place, CASE WHEN n.state = 'closed' THEN 'stopped' ELSE c.state END,
           c.start_time + n.later, c.due_time + n.later, CASE WHEN n.state = 'closed' THEN c.start_time + n.later END,
           CASE WHEN n.state = 'closed' THEN 'kept' END, false, c.clock
      FROM n, (SELECT * FROM work_order.clocks WHERE work_order_id = $1) AS c
), history AS (
    INSERT INTO work_order.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject, occur_time,
        record_time, detail, hash)
    SELECT n.estate_id, n.id, h.position, h.action, h.state, h.actor_kind, h.actor_subject, n.time, n.time, h.detail, h.hash
      FROM n, (SELECT * FROM work_order.history WHERE work_order_id = $1) AS h
)
INSERT INTO work_order.case_facts (estate_id, work_order_id, cycle, number, unit_id, customer_id, is_last, kind, category, channel,
    standing, occur_time, receive_time, start_time, close_time, opinion, callback_provisional, is_case_score, suspended_seconds)
SELECT n.estate_id, n.id, 1, n.number, n.unit_id, n.customer_id, true, f.kind, f.category, f.channel, f.standing, n.time, n.time, n.time,
       CASE WHEN n.state = 'closed' THEN n.time + interval '5 hours' END, f.opinion, false, false, 0
  FROM n, (SELECT * FROM work_order.case_facts WHERE work_order_id = $1) AS f";

/// What a text of an order is sealed for, as work-order names it.
fn place(id: Uuid, column: &str) -> String {
    format!("work_order/{id}/{column}")
}

/// A minute apart, the last one first: whatever the number, yesterday is where the newest are.
fn past(now: Timestamp, number: u32) -> Result<Timestamp> {
    /// More than any run writes.
    const MOST: i64 = 2_000_000;
    let back = SignedDuration::from_secs(86_400 + (MOST - i64::from(number)) * 60);
    Ok(now.checked_sub(back)?)
}

/// An id as the product would have made it at that time.
fn id_at(time: Timestamp) -> Result<Uuid> {
    let seconds = u64::try_from(time.as_second())?;
    Ok(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, u32::try_from(time.subsec_nanosecond())?)))
}

/// Statistics, visibility and a checkpoint now, and not in the middle of a turn.
pub(crate) async fn settle(connection: &mut PgConnection) -> Result<()> {
    connection.execute("VACUUM (ANALYZE)").await.context("vacuum")?;
    connection.execute("CHECKPOINT").await.context("checkpoint")?;
    Ok(())
}

/// Waits until nothing that the service has to publish waits any more; how long that took.
pub(crate) async fn published(pool: &PgPool) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let waits: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM work_order.outbox WHERE publish_time IS NULL)").fetch_one(pool).await?;
        if !waits {
            return Ok(begun.elapsed());
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(60), "events wait to be published for a minute");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
