//! The counts in the tables. Everything below is read as superuser, across schemas, which no service can do.

use super::{Check, Sort};
use crate::fault::POISON;

/// Every request id that was acknowledged.
pub(super) const EVERY_CLAIM: &str = "every claim";
/// Every request id that was refused.
pub(super) const EVERY_REFUSAL: &str = "every refusal";

const SCHEMAS: [&str; 5] = ["customer", "work_order", "notification", "survey", "care"];

/// Which facts follow from which lines of an order's history.
const TOLD: [(&str, &str); 15] = [
    ("create", "WorkOrderCreated"),
    ("classify", "WorkOrderClassified"),
    ("assign", "WorkOrderAssigned"),
    ("accept", "WorkOrderAccepted"),
    ("contact", "CustomerContacted"),
    ("assess", "WorkOrderAssessed"),
    ("arrive", "TechnicianArrived"),
    ("complete", "WorkOrderCompleted"),
    ("record_callback", "CallbackRecorded"),
    ("reopen", "WorkOrderReopened"),
    ("close", "WorkOrderClosed"),
    ("urge", "WorkOrderUrged"),
    ("clock_warned", "ClockWarned"),
    ("clock_late", "ClockBreached"),
    ("clock_escalated", "WorkOrderEscalated"),
];

/// Every check.
pub(super) fn all() -> Vec<Check> {
    let write = |name, acknowledged, sql: String| Check { name, sort: Sort::Write, acknowledged: Some(acknowledged), sql };
    let mut all = vec![
        write("units", "unit", whole("customer.units")),
        write("customers", "customer", whole("customer.customers")),
        write("tenures", "tenure", whole("customer.tenures")),
        write(
            "orders",
            "order",
            whole(
                "(SELECT w.id FROM work_order.work_orders w JOIN work_order.history h ON h.work_order_id = w.id
                                              WHERE h.position = 1 AND h.actor_kind <> 'service')",
            ),
        ),
        write("touchpoints", "touchpoint", whole("(SELECT id FROM care.touchpoints WHERE definition_code = 'condolence_visit')")),
        write("registrations", "registration", whole("care.registrations")),
        write("invitations", "invitation", whole("survey.invitations")),
        write("answers", "response", whole("survey.responses")),
        write("claims of what was acknowledged", EVERY_CLAIM, claims("1")),
        // A request that was refused did nothing, or the refusal was a lie.
        write("claims of what was refused", EVERY_REFUSAL, claims("0")),
    ];
    for (kind, action) in [
        ("order.assign", "assign"),
        ("order.accept", "accept"),
        ("order.contact", "contact"),
        ("order.arrive", "arrive"),
        ("order.complete", "complete"),
        ("order.record_callback", "record_callback"),
        ("order.close", "close"),
    ] {
        all.push(write(kind, kind, verb(action)));
    }
    let promise = |name, sql: &str| Check { name, sort: Sort::Obligation, acknowledged: None, sql: sql.to_owned() };
    all.extend([
        promise("timers that are due", &each_schema(TIMERS)),
        promise("steps of clocks", CLOCK_STEPS),
        promise("steps of clocks in the history", CLOCK_LINES),
        promise("facts of orders", &facts_of_orders()),
        promise("facts published", &each_schema(PUBLISHED)),
        promise("facts at their consumers", &at_consumers(false)),
        promise("dead letters", &each_schema(DEAD_LETTERS)),
        promise("entries of the timeline", TIMELINE),
        promise("messages", MESSAGES),
        promise("items of inboxes", INBOX_ITEMS),
        promise("orders after low scores", LOW_SCORES),
        promise("facts of cases", CASE_FACTS),
        promise("touchpoints that are due", TOUCHPOINTS),
    ]);
    all
}

/// Things of a table: each that was acknowledged, once, and no other.
fn whole(table: &str) -> String {
    format!(
        "SELECT coalesce(a.id, t.id), CASE WHEN a.id IS NULL THEN 0 ELSE 1 END::bigint, coalesce(t.times, 0)
           FROM acknowledged a FULL JOIN (SELECT id::text, count(*) AS times FROM {table} t GROUP BY id) t ON t.id = a.id"
    )
}

fn claims(expected: &str) -> String {
    let everywhere: Vec<String> =
        SCHEMAS.iter().map(|schema| format!("SELECT request_id::text AS id FROM {schema}.idempotency_claims")).collect();
    format!(
        "SELECT a.id, {expected}::bigint, count(c.id) FROM acknowledged a LEFT JOIN ({}) c ON c.id = a.id GROUP BY a.id",
        everywhere.join(" UNION ALL ")
    )
}

fn verb(action: &str) -> String {
    format!(
        "SELECT coalesce(a.id, h.id), coalesce(a.times, 0), coalesce(h.times, 0) FROM acknowledged a
           FULL JOIN (SELECT work_order_id::text AS id, count(*) AS times FROM work_order.history WHERE action = '{action}'
                       AND actor_kind <> 'system' GROUP BY 1) h ON h.id = a.id"
    )
}

/// The same in each schema.
fn each_schema(sql: &str) -> String {
    let parts: Vec<String> = SCHEMAS.iter().map(|schema| sql.replace("{schema}", schema)).collect();
    parts.join(" UNION ALL ")
}

/// By the time that was promised: one that was put later because it could not be fired is not at rest.
const TIMERS: &str = "SELECT '{schema} ' || kind || ' of ' || subject_id, 1::bigint,
       CASE WHEN due_time <= $1::timestamptz THEN 0 ELSE 1 END::bigint FROM {schema}.timers";

/// A step of a running clock that is due was taken.
const CLOCK_STEPS: &str = "SELECT c.work_order_id || ' ' || c.name || ' ' || c.cycle || ' ' || (s ->> 'percent'), 1::bigint,
       CASE WHEN (s ->> 'taken')::boolean OR (s ->> 'due_time') IS NULL OR (s ->> 'due_time')::timestamptz > $1::timestamptz
            THEN 1 ELSE 0 END::bigint
  FROM work_order.clocks c CROSS JOIN LATERAL jsonb_array_elements(c.clock -> 'steps') s WHERE c.state = 'running'";

/// A step that was taken is one line of the history; no line is without a step. A clock that was reset may take its steps anew, in its
/// next generation.
const CLOCK_LINES: &str = "SELECT coalesce(s.what, h.what), coalesce(s.times, 0), coalesce(h.times, 0) FROM
      (SELECT c.work_order_id || ' ' || c.name || ' ' || c.cycle || ' ' || (s ->> 'percent') AS what, count(*) AS times
         FROM work_order.clocks c CROSS JOIN LATERAL jsonb_array_elements(c.clock -> 'steps') s WHERE (s ->> 'taken')::boolean GROUP BY 1) s
 FULL JOIN
      (SELECT work_order_id || ' ' || (detail ->> 'clock') || ' ' || (detail ->> 'cycle') || ' ' || (detail ->> 'percent') AS what,
              count(*) AS times
         FROM work_order.history WHERE action IN ('clock_warned', 'clock_late', 'clock_escalated') GROUP BY 1) h ON h.what = s.what";

/// Each line of the history that tells something was told once.
fn facts_of_orders() -> String {
    let pairs: Vec<String> = TOLD.iter().map(|(action, fact)| format!("('{action}', 'steward.work_order.v1.{fact}')")).collect();
    format!(
        "SELECT coalesce(h.id || ' ' || h.action, o.id || ' ' || o.type), coalesce(h.times, 0), coalesce(o.times, 0) FROM
             (SELECT work_order_id AS id, action, count(*) AS times FROM work_order.history GROUP BY 1, 2) h
        JOIN (VALUES {pairs}) AS told(action, type) ON told.action = h.action
   FULL JOIN (SELECT subject_id AS id, type, count(*) AS times FROM work_order.outbox WHERE type IN ({types}) AND traceparent <> '{POISON}' GROUP BY 1, 2) o
          ON o.id = h.id AND o.type = told.type",
        pairs = pairs.join(", "),
        types = TOLD.iter().map(|(_, fact)| format!("'steward.work_order.v1.{fact}'")).collect::<Vec<_>>().join(", "),
    )
}

const PUBLISHED: &str = "SELECT '{schema} ' || type || ' ' || id, 1::bigint, CASE WHEN publish_time IS NULL THEN 0 ELSE 1 END::bigint
  FROM {schema}.outbox";

/// Nothing but poison is put aside.
const DEAD_LETTERS: &str = "SELECT '{schema} ' || d.consumer || ' ' || d.event_id, 0::bigint, count(*) FROM {schema}.dead_letters d
  JOIN (SELECT id, traceparent FROM customer.outbox UNION ALL SELECT id, traceparent FROM work_order.outbox
        UNION ALL SELECT id, traceparent FROM notification.outbox UNION ALL SELECT id, traceparent FROM survey.outbox
        UNION ALL SELECT id, traceparent FROM care.outbox) o ON o.id = d.event_id
 WHERE o.traceparent <> 'poison' GROUP BY 1";

/// Keeps who ever applied which type of fact, in a table of our own beside the schemas.
pub(super) fn hear() -> Vec<String> {
    let table = "CREATE TABLE IF NOT EXISTS public.heard (consumer text, source text, name text, type text, PRIMARY KEY (consumer, source, name, type))";
    let pairs = SCHEMAS.iter().flat_map(|consumer| SCHEMAS.iter().map(move |source| (consumer, source)));
    let insert = pairs.map(|(consumer, source)| {
        format!(
            "INSERT INTO public.heard SELECT DISTINCT '{consumer}', '{source}', i.consumer, o.type
               FROM {consumer}.inbox i JOIN {source}.outbox o ON o.id = i.event_id ON CONFLICT DO NOTHING"
        )
    });
    std::iter::once(table.to_owned()).chain(insert).collect()
}

/// A consumer that ever applied a type of fact applied every fact of that type; those made since `$2`, or all.
fn at_consumers(is_recent: bool) -> String {
    let pairs = SCHEMAS.iter().flat_map(|consumer| SCHEMAS.iter().map(move |source| (consumer, source)));
    let since = if is_recent { "AND o.create_time >= $2::timestamptz" } else { "" };
    let parts: Vec<String> = pairs
        .map(|(consumer, source)| {
            format!(
                "SELECT '{consumer}.' || heard.name || ' ' || o.type || ' ' || o.id, 1::bigint,
                        CASE WHEN i.event_id IS NULL AND d.event_id IS NULL THEN 0 ELSE 1 END::bigint
                   FROM public.heard JOIN {source}.outbox o ON o.type = heard.type {since}
                   LEFT JOIN {consumer}.inbox i ON i.consumer = heard.name AND i.event_id = o.id
                   LEFT JOIN {consumer}.dead_letters d ON d.consumer = heard.name AND d.event_id = o.id AND o.traceparent = '{POISON}'
                  WHERE heard.consumer = '{consumer}' AND heard.source = '{source}'"
            )
        })
        .collect();
    parts.join(" UNION ALL ")
}

/// Each fact about a resident that the timeline hears of is one entry of it.
const TIMELINE: &str = "SELECT o.type || ' ' || o.id, 1::bigint, count(t.id) FROM
      (SELECT id, type FROM work_order.outbox WHERE traceparent <> 'poison'
       UNION ALL SELECT id, type FROM customer.outbox WHERE traceparent <> 'poison') o
  JOIN (SELECT DISTINCT o.type FROM customer.timeline_entries t
          JOIN (SELECT id, type FROM work_order.outbox UNION ALL SELECT id, type FROM customer.outbox) o ON o.id = t.id) heard
    ON heard.type = o.type
  LEFT JOIN customer.timeline_entries t ON t.id = o.id GROUP BY 1";

/// One message for each fact, rule and recipient.
const MESSAGES: &str = "SELECT concat_ws(' ', event_id, routing_rule_id, customer_id, staff_subject, staff_role,
       webhook_endpoint_id), 1::bigint, count(*) FROM notification.messages WHERE event_id IS NOT NULL GROUP BY 1";

/// What has a place in an inbox has one.
const INBOX_ITEMS: &str = "SELECT d.message_id::text, 1::bigint, count(i.message_id) FROM notification.deliveries d
  LEFT JOIN notification.inbox_items i ON i.message_id = d.message_id WHERE d.channel = 'inbox' GROUP BY d.id, d.message_id";

/// A low score is one order.
const LOW_SCORES: &str = "SELECT 'low scores', (SELECT count(*) FROM survey.outbox WHERE type = 'steward.survey.v1.LowScoreReceived'),
       (SELECT count(*) FROM work_order.history WHERE position = 1 AND actor_kind = 'service')";

/// The facts that figures are counted from: one row for each cycle of an order, one of them the last.
const CASE_FACTS: &str = "SELECT o.id::text, o.cycle::bigint + 1, count(f.cycle) + count(*) FILTER (WHERE f.is_last)
  FROM work_order.work_orders o LEFT JOIN work_order.case_facts f ON f.estate_id = o.estate_id AND f.work_order_id = o.id
 GROUP BY o.id, o.cycle";

/// A touchpoint whose time has come is no longer only planned.
const TOUCHPOINTS: &str = "SELECT id::text, 1::bigint, CASE WHEN state = 'planned' AND (document ->> 'due_time')::timestamptz <= $1::timestamptz THEN 0 ELSE 1 END::bigint
  FROM care.touchpoints";

/// What is queued, by name: `$1` is the time. Cheap enough to be asked again and again.
pub(super) fn queued() -> String {
    let of_each = each_schema(
        "SELECT '{schema}: facts to publish' AS what, count(*) FROM {schema}.outbox WHERE publish_time IS NULL
         UNION ALL SELECT '{schema}: timers that are due', count(*) FROM {schema}.timers WHERE due_time <= $1::timestamptz",
    );
    format!(
        "{of_each} UNION ALL SELECT 'arrivals at inboxes', count(*) FROM notification.inbox_arrivals
         UNION ALL SELECT 'attempts to deliver', count(*) FROM notification.deliveries WHERE state = 'queued' AND next_attempt_time <= $1::timestamptz
         UNION ALL SELECT 'attempts under way', count(*) FROM notification.deliveries WHERE state = 'queued' AND claim_until IS NOT NULL"
    )
}

/// What waits, by name: `$1` is the time, `$2` since when there was no rest.
pub(super) fn waiting() -> String {
    format!(
        "{} UNION ALL SELECT 'facts to apply', count(*) FROM ({}) AS c(what, expected, found) WHERE expected <> found
         UNION ALL SELECT 'touchpoints that are due', count(*) FROM care.touchpoints
                    WHERE state = 'planned' AND (document ->> 'due_time')::timestamptz <= $1::timestamptz",
        queued(),
        at_consumers(true)
    )
}
