-- A timer belongs to the trace of the change that set it, so that what fires weeks later is found from the call that promised
-- it. Empty where that trace is not recorded.
ALTER TABLE {schema}.timers ADD COLUMN traceparent text NOT NULL DEFAULT '';

-- As in 0005, and the trace of each timer. A replica of the version before sends none.
CREATE OR REPLACE FUNCTION {schema}.write_effects(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written timestamptz := effects ->> 'now';
BEGIN
    IF effects ? 'claim' THEN
        INSERT INTO {schema}.idempotency_claims (principal, method, request_id, request_hash, response, create_time)
        SELECT c.principal, c.method, c.request_id, decode(c.request_hash, 'base64'), decode(c.response, 'base64'), written
          FROM jsonb_to_record(effects -> 'claim')
            AS c(principal text, method text, request_id uuid, request_hash text, response text);
    END IF;
    IF effects ? 'cancel_subjects' THEN
        DELETE FROM {schema}.timers t
         USING jsonb_array_elements_text(effects -> 'cancel_subjects') AS c(subject_id)
         WHERE t.subject_id = c.subject_id::uuid;
    END IF;
    IF effects ? 'cancels' THEN
        DELETE FROM {schema}.timers t
         USING jsonb_to_recordset(effects -> 'cancels') AS c(subject_id uuid, kind text, key text)
         WHERE t.subject_id = c.subject_id AND t.kind = c.kind AND t.key = c.key;
    END IF;
    IF effects ? 'timers' THEN
        INSERT INTO {schema}.timers AS t (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time, traceparent)
        SELECT n.id, n.kind, n.subject_id, n.key, n.estate_id, n.due_time, n.due_time, written, coalesce(n.traceparent, '')
          FROM jsonb_to_recordset(effects -> 'timers')
            AS n(id uuid, kind text, subject_id uuid, key text, estate_id uuid, due_time timestamptz, traceparent text)
        ON CONFLICT ON CONSTRAINT timers_subject_id_kind_key_key DO UPDATE
            SET id = EXCLUDED.id, estate_id = EXCLUDED.estate_id, due_time = EXCLUDED.due_time,
                wake_time = EXCLUDED.wake_time, attempt_count = 0, create_time = EXCLUDED.create_time,
                traceparent = EXCLUDED.traceparent;
    END IF;
    IF effects ? 'events' THEN
        INSERT INTO {schema}.outbox (id, type, subject_id, estate_id, shard, occur_time, traceparent, payload, create_time)
        SELECT e.id, e.type, e.subject_id, e.estate_id, e.shard, e.occur_time, e.traceparent, decode(e.payload, 'base64'), written
          FROM ROWS FROM (jsonb_to_recordset(effects -> 'events') AS (
                   id uuid, type text, subject_id uuid, estate_id uuid, shard smallint, occur_time timestamptz,
                   traceparent text, payload text)) WITH ORDINALITY
            AS e(id, type, subject_id, estate_id, shard, occur_time, traceparent, payload, place)
         ORDER BY e.place;
    END IF;
END $$;
