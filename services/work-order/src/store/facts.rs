//! Reading what figures are counted from. Each query reads one range of one index per estate: the rows of the period and no
//! others. `OFFSET 0` keeps Postgres to it, estate by estate, where it would rather read a table once than ask it often.

use sqlx::PgExecutor;
use steward_kit::metric::{Opinion, Standing};
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;
use uuid::Uuid;

use super::row::{code, count};
use crate::domain::figures::{CaseRow, Cohort, DeadlineRow};
use crate::domain::{CaseFacts, Channel, ClockState, CloseCode, Kind, Verdict};

/// A row of `case_facts` with its neighbours.
struct FactRow {
    estate_id: Uuid,
    work_order_id: Uuid,
    cycle: i32,
    number: String,
    unit_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    is_last: bool,
    kind: String,
    category: String,
    channel: String,
    standing: String,
    occur_time: jiff_sqlx::Timestamp,
    receive_time: jiff_sqlx::Timestamp,
    start_time: jiff_sqlx::Timestamp,
    end_time: Option<jiff_sqlx::Timestamp>,
    respond_time: Option<jiff_sqlx::Timestamp>,
    arrive_time: Option<jiff_sqlx::Timestamp>,
    assess_time: Option<jiff_sqlx::Timestamp>,
    complete_time: Option<jiff_sqlx::Timestamp>,
    close_time: Option<jiff_sqlx::Timestamp>,
    close_code: Option<String>,
    opinion: String,
    opinion_time: Option<jiff_sqlx::Timestamp>,
    result_due_time: Option<jiff_sqlx::Timestamp>,
    callback_due_time: Option<jiff_sqlx::Timestamp>,
    callback_provisional: bool,
    reach_time: Option<jiff_sqlx::Timestamp>,
    exhaust_time: Option<jiff_sqlx::Timestamp>,
    score: Option<i32>,
    score_time: Option<jiff_sqlx::Timestamp>,
    is_case_score: bool,
    suspended_seconds: i64,
    previous_time: Option<jiff_sqlx::Timestamp>,
    next_time: Option<jiff_sqlx::Timestamp>,
}

/// `SELECT` of facts `f` of kinds `$4` (NULL: every kind) whose time lies in the stretch; `$neighbours` are the columns
/// `previous_time` and `next_time`.
macro_rules! select_facts {
    ($neighbours:tt, $time:tt, $columns:expr, $kinds:expr, $db:expr) => {{
        let (estates, starts, ends) = $columns;
        sqlx::query_as!(
            FactRow,
            r#"SELECT f.estate_id, f.work_order_id, f.cycle, f.number, f.unit_id, f.customer_id, f.is_last, f.kind, f.category,
                      f.channel, f.standing, f.occur_time, f.receive_time, f.start_time, f.end_time, f.respond_time, f.arrive_time,
                      f.assess_time, f.complete_time, f.close_time, f.close_code, f.opinion, f.opinion_time, f.result_due_time,
                      f.callback_due_time, f.callback_provisional, f.reach_time, f.exhaust_time, f.score, f.score_time,
                      f.is_case_score, f.suspended_seconds, "#
                + $neighbours
                + r#" -- unscoped: a stretch is of an estate that the caller was found to have
                      FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS p (estate_id, start_time, end_time)
                     CROSS JOIN LATERAL (
                         SELECT * FROM work_order.case_facts f WHERE f.estate_id = p.estate_id AND "#
                + $time
                + r#" AND ($4::text[] IS NULL OR f.kind = ANY($4)) OFFSET 0) f"#,
            &estates,
            &starts as &[jiff_sqlx::Timestamp],
            &ends as &[jiff_sqlx::Timestamp],
            $kinds as Option<&[String]>,
        )
        .fetch_all($db)
        .await
        .store()?
    }};
}

/// No neighbours.
macro_rules! alone {
    ($time:tt, $columns:expr, $kinds:expr, $db:expr) => {
        select_facts!(r#"NULL::timestamptz AS "previous_time: _", NULL::timestamptz AS "next_time: _""#, $time, $columns, $kinds, $db)
    };
}

/// Cases of a cohort, of these kinds (`None`: of every kind), with their estates. One trip.
pub(crate) async fn list_case_facts(
    db: impl PgExecutor<'_>,
    cohort: Cohort,
    stretches: &[Stretch],
    kinds: Option<&[String]>,
) -> Result<Vec<(Uuid, CaseRow)>> {
    let columns = Stretch::columns(stretches);
    let rows: Vec<FactRow> = match cohort {
        Cohort::Occurred | Cohort::Collating => {
            alone!("f.occur_time >= p.start_time AND f.occur_time < p.end_time", columns, kinds, db)
        }
        Cohort::CallbackDue => {
            alone!("f.callback_due_time >= p.start_time AND f.callback_due_time < p.end_time", columns, kinds, db)
        }
        Cohort::Closed => alone!("f.close_time >= p.start_time AND f.close_time < p.end_time", columns, kinds, db),
        Cohort::Completed => alone!("f.complete_time >= p.start_time AND f.complete_time < p.end_time", columns, kinds, db),
        Cohort::Assessed => alone!("f.assess_time >= p.start_time AND f.assess_time < p.end_time", columns, kinds, db),
        Cohort::Neighbours => select_facts!(
            r#"(SELECT max(n.occur_time) FROM work_order.case_facts n
                 WHERE n.estate_id = f.estate_id AND n.unit_id = f.unit_id AND n.cycle = 1 AND n.occur_time < f.occur_time)
                   AS "previous_time: _",
               (SELECT min(n.occur_time) FROM work_order.case_facts n
                 WHERE n.estate_id = f.estate_id AND n.unit_id = f.unit_id AND n.cycle = 1 AND n.occur_time > f.occur_time)
                   AS "next_time: _""#,
            "f.occur_time >= p.start_time AND f.occur_time < p.end_time",
            columns,
            kinds,
            db
        ),
        Cohort::Repeated => select_facts!(
            r#"NULL::timestamptz AS "previous_time: _",
               (SELECT min(n.occur_time) FROM work_order.case_facts n
                 WHERE n.estate_id = f.estate_id AND n.unit_id = f.unit_id AND n.cycle = 1 AND n.occur_time > f.close_time
                   AND n.category = f.category) AS "next_time: _""#,
            "f.close_time >= p.start_time AND f.close_time < p.end_time",
            columns,
            kinds,
            db
        ),
        Cohort::Due => return Err(Error::bug("deadlines are no cases")),
    };
    rows.into_iter().map(FactRow::into_case).collect()
}

impl FactRow {
    fn into_case(self) -> Result<(Uuid, CaseRow)> {
        let time = |value: Option<jiff_sqlx::Timestamp>| value.map(jiff_sqlx::Timestamp::to_jiff);
        let facts = CaseFacts {
            cycle: count(self.cycle)?,
            is_last: self.is_last,
            kind: code(Kind::parse, &self.kind)?,
            category: self.category,
            channel: code(Channel::parse, &self.channel)?,
            standing: code(Standing::parse, &self.standing)?,
            occur_time: self.occur_time.to_jiff(),
            receive_time: self.receive_time.to_jiff(),
            start_time: self.start_time.to_jiff(),
            end_time: time(self.end_time),
            respond_time: time(self.respond_time),
            arrive_time: time(self.arrive_time),
            assess_time: time(self.assess_time),
            complete_time: time(self.complete_time),
            close_time: time(self.close_time),
            close_code: self.close_code.as_deref().map(|text| code(CloseCode::parse, text)).transpose()?,
            opinion: code(Opinion::parse, &self.opinion)?,
            opinion_time: time(self.opinion_time),
            result_due_time: time(self.result_due_time),
            callback_due_time: time(self.callback_due_time),
            callback_provisional: self.callback_provisional,
            reach_time: time(self.reach_time),
            exhaust_time: time(self.exhaust_time),
            score: self.score.map(count).transpose()?,
            score_time: time(self.score_time),
            is_case_score: self.is_case_score,
            suspended_seconds: self.suspended_seconds,
        };
        let case = CaseRow {
            order: self.work_order_id.into(),
            number: self.number,
            unit: self.unit_id.map(Into::into),
            customer: self.customer_id.map(Into::into),
            facts,
            previous_time: time(self.previous_time),
            next_time: time(self.next_time),
        };
        Ok((self.estate_id, case))
    }
}

/// Deadlines of these clocks that are due in the stretches, of orders of these kinds, with their estates. One trip.
pub(crate) async fn list_deadlines(
    db: impl PgExecutor<'_>,
    stretches: &[Stretch],
    clocks: &[String],
    kinds: Option<&[String]>,
) -> Result<Vec<(Uuid, DeadlineRow)>> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT d.estate_id, d.work_order_id, d.name, d.due_time AS "due_time!", d.state, d.verdict, d.provisional,
                  d.number, d.kind, d.category, d.standing
             -- unscoped: a stretch is of an estate that the caller was found to have
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS p (estate_id, start_time, end_time)
            CROSS JOIN LATERAL (
                SELECT c.estate_id, c.work_order_id, c.name, c.due_time, c.state, c.verdict, c.provisional, f.number, f.kind, f.category,
                       f.standing
                  FROM work_order.clocks c
                  JOIN work_order.case_facts f
                    ON f.estate_id = c.estate_id AND f.work_order_id = c.work_order_id AND f.cycle = c.cycle
                 WHERE c.estate_id = p.estate_id AND c.due_time >= p.start_time AND c.due_time < p.end_time AND c.name = ANY($4)
                   -- Clocks that ran before a case was converted were of another case (WO-07).
                   AND c.start_time >= f.receive_time
                   AND ($5::text[] IS NULL OR f.kind = ANY($5))
                OFFSET 0) d"#,
        &estates,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
        clocks,
        kinds as Option<&[String]>,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| {
        let deadline = DeadlineRow {
            order: row.work_order_id.into(),
            number: row.number,
            kind: code(Kind::parse, &row.kind)?,
            category: row.category,
            standing: code(Standing::parse, &row.standing)?,
            clock: row.name,
            due_time: row.due_time.to_jiff(),
            state: code(ClockState::parse, &row.state)?,
            verdict: row.verdict.as_deref().map(|text| code(Verdict::parse, text)).transpose()?,
            is_provisional: row.provisional,
        };
        Ok((row.estate_id, deadline))
    });
    read.collect()
}
