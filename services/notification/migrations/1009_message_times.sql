-- What the figures of messages need, whatever a plan asks (NT-22, NT-36, NT-39): when what a message tells of happened, until when
-- the rules held it back, and when the first channel had it. Messages from before have none, and are left out of latencies.
-- The figures read months by `messages_estate_id_idx`.
ALTER TABLE notification.messages
    ADD COLUMN fact_time       timestamptz,
    ADD COLUMN held_until_time timestamptz,
    ADD COLUMN hand_over_time  timestamptz;

-- How long a message took from the fact, or from when the rules let it go, to its first channel, in milliseconds.
CREATE FUNCTION notification.message_latency_ms(fact_time timestamptz, held_until_time timestamptz, hand_over_time timestamptz)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN fact_time IS NOT NULL AND hand_over_time IS NOT NULL
                THEN greatest(0, round(extract(epoch FROM hand_over_time - greatest(fact_time, held_until_time)) * 1000))::bigint END
$$;
REVOKE EXECUTE ON FUNCTION notification.message_latency_ms(timestamptz, timestamptz, timestamptz) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        GRANT EXECUTE ON FUNCTION notification.message_latency_ms(timestamptz, timestamptz, timestamptz) TO notification_app;
    END IF;
END $$;
