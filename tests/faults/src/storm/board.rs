//! The board of the month against figures that are counted beside it, in SQL, from what was written down of each order.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    caller::{Callers, Who},
    ground::PLAN,
};

/// Estates of one call, at the most.
const PAGE: usize = 200;

/// How often is asked for a part that was late.
const LOOKS: u32 = 10;

/// A figure: numerator and denominator, over all estates.
pub(super) type Figures = BTreeMap<&'static str, (i64, i64)>;

/// Deadlines kept, by the clock that is judged.
const TIMELY: [(&str, &str); 4] = [
    ("timely_rate.push", "push"),
    ("timely_rate.first_response", "first_response"),
    ("timely_rate.contact", "contact_customer"),
    ("timely_rate.arrive", "arrive"),
];

/// Deadlines that have been reached or passed, less those whose order has a line in its history that says they passed.
const DEADLINES: &str = "SELECT count(*) FILTER (WHERE NOT is_late), count(*) FROM (
    SELECT c.work_order_id, bool_or(EXISTS (SELECT FROM work_order.history h
             WHERE h.estate_id = c.estate_id AND h.work_order_id = c.work_order_id AND h.action = 'clock_late'
               AND h.detail ->> 'clock' = c.name AND h.detail ->> 'cycle' = c.cycle::text AND h.occur_time = c.due_time)) AS is_late
      FROM work_order.clocks c
     WHERE c.name = $3 AND c.due_time >= $1::timestamptz AND c.due_time < $2::timestamptz
       AND (c.verdict IS NOT NULL OR (c.state = 'running' AND c.due_time <= $4::timestamptz)) AND NOT c.provisional
     GROUP BY c.work_order_id) deadlines";

/// Scores of repairs that were completed in it, by the last callback of each order.
const SATISFIED: &str = "SELECT count(*) FILTER (WHERE score >= 4), count(*) FROM (
    SELECT DISTINCT ON (h.work_order_id) (h.detail ->> 'score')::int AS score
      FROM work_order.history h JOIN work_order.work_orders w ON w.estate_id = h.estate_id AND w.id = h.work_order_id
     WHERE w.kind = 'repair' AND h.action = 'record_callback' AND $3::text IS NOT NULL AND $4::text IS NOT NULL
       AND EXISTS (SELECT FROM work_order.history d WHERE d.estate_id = h.estate_id AND d.work_order_id = h.work_order_id
                    AND d.action = 'complete' AND d.occur_time >= $1::timestamptz AND d.occur_time < $2::timestamptz)
     ORDER BY h.work_order_id, h.position DESC) scores";

/// Complaints of the period, and those of them that are closed.
const HANDLED: &str = "SELECT count(*) FILTER (WHERE state = 'closed'), count(*) FROM work_order.work_orders
     WHERE kind = 'complaint' AND occur_time >= $1::timestamptz AND occur_time < $2::timestamptz AND $3::text IS NOT NULL AND $4::text IS NOT NULL";

/// The same figures, counted beside the board, for a period from `start` to `end` as it stands now.
///
/// # Errors
/// Postgres does not answer.
pub(super) async fn counted(db: &PgPool, start: Timestamp, end: Timestamp, now: Timestamp) -> Result<Figures> {
    let others = [("repair_csat_rate", SATISFIED, ""), ("handled_rate", HANDLED, "")];
    let asked = TIMELY.map(|(metric, clock)| (metric, DEADLINES, clock)).into_iter().chain(others);
    let mut figures = Figures::new();
    for (metric, sql, clock) in asked {
        let asked = sqlx::query_as(AssertSqlSafe(sql)).bind(start.to_string()).bind(end.to_string()).bind(clock).bind(now.to_string());
        let figure: (i64, i64) = asked.fetch_one(db).await.with_context(|| format!("counting {metric}"))?;
        figures.insert(metric, figure);
    }
    Ok(figures)
}

/// What the board shows for the month of a day.
///
/// # Errors
/// A call is refused, or a part never comes.
pub(super) async fn shown(callers: &Callers, estates: &[String], day: Date, metrics: &Figures) -> Result<Figures> {
    let mut figures = Figures::new();
    for estates in estates.chunks(PAGE) {
        let board = board(callers, estates, day, metrics).await?;
        for value in board["values"].as_array().context("values")? {
            let Some(metric) = metrics.keys().find(|metric| value["metricId"] == **metric) else { continue };
            if !estates.iter().any(|estate| value["estateId"] == estate.as_str()) {
                continue;
            }
            let figure = figures.entry(*metric).or_default();
            figure.0 += number(&value["numerator"]);
            figure.1 += number(&value["denominator"]);
        }
    }
    Ok(figures)
}

async fn board(callers: &Callers, estates: &[String], day: Date, metrics: &Figures) -> Result<Value> {
    let ask = json!({
        "estateIds": estates, "period": {"fromDate": day.first_of_month().to_string(), "toDate": day.last_of_month().to_string()}, "planCode": PLAN,
        "metricIds": metrics.keys().collect::<Vec<_>>(),
    });
    let manager = Who::staff("manager.board");
    for _ in 0..LOOKS {
        let answer = callers.ask(&manager, "gateway.v1.BoardService/GetServiceQualityBoard", ask.clone()).await?;
        if answer["board"]["unavailableServices"].as_array().is_none_or(Vec::is_empty) {
            return Ok(answer["board"].clone());
        }
        // A part that was late says so; what it had counted is kept, and the next look finds it further on.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("a part of the board never came")
}

/// Whole numbers of 64 bits are texts in JSON; zero is left out.
fn number(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_i64()).unwrap_or(0)
}
