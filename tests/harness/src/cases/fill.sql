-- $1 estates, $2 from when, $3 over how many days, $4 how many cases for each estate, $5 whether they were closed.
WITH cases AS MATERIALIZED (
    SELECT e.id AS estate_id, gen_random_uuid() AS id, gen_random_uuid() AS unit_id, gen_random_uuid() AS customer_id, n,
           $2::text::timestamptz + (n * make_interval(days => $3) / $4) AS at,
           (ARRAY['repair', 'repair', 'repair', 'complaint', 'inquiry', 'inquiry', 'request'])[1 + n % 7] AS kind
      FROM unnest($1::uuid[]) AS e (id), generate_series(0, $4::integer - 1) AS n
), orders AS (
    INSERT INTO work_order.work_orders (estate_id, id, number, state, unit_id, customer_id, kind, category, urgency, classified_by,
        channel, description, location, occur_time, receive_time, cycle, urge_count, memory, texts, history_position, history_hash,
        update_time, row_version)
    SELECT estate_id, id, 'WO-' || n, 'completed', unit_id, customer_id, kind, 'plumbing.leak', 'l2', 'leak', 'app', '', '', at, at, 1,
           0, '{}', '', 1, '', at, 1
      FROM cases RETURNING 1
), clocks AS (
    INSERT INTO work_order.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time, stop_time,
        verdict, provisional, clock)
    SELECT c.estate_id, c.id, 1, k.name, 1, k.place, 'stopped', c.at, c.at + interval '30 minutes',
           c.at + interval '1 minute' * (n % 40), CASE WHEN n % 40 <= 30 THEN 'kept' ELSE 'late' END, false, '{}'
      FROM cases c, unnest(ARRAY['push', 'first_response', 'contact_customer', 'arrive', 'result_feedback', 'callback'])
           WITH ORDINALITY AS k (name, place)
    RETURNING 1
)
INSERT INTO work_order.case_facts (estate_id, work_order_id, cycle, number, unit_id, customer_id, is_last, kind, category, channel,
    standing, occur_time, receive_time, start_time, respond_time, complete_time, close_time, opinion, callback_due_time,
    callback_provisional, reach_time, score, score_time, is_case_score, suspended_seconds)
SELECT estate_id, id, 1, 'WO-' || n, unit_id, customer_id, true, kind, 'plumbing.leak', 'app', 'valid', at, at, at,
       at + interval '10 minutes', at + interval '2 hours', CASE WHEN $5 THEN at + interval '21 hours' END, 'accepts', at + interval '26 hours', false,
       at + interval '20 hours', 1 + n % 5, at + interval '20 hours', true, 0
  FROM cases
