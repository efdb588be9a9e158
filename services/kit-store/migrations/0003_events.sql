-- Facts on their way out. `seq` orders the facts of a subject (its row is locked while they are written);
-- `position` is the place in the stream of the shard, given when a fact is published.
CREATE TABLE {schema}.outbox (
    seq          bigserial   NOT NULL,
    id           uuid        NOT NULL,
    type         text        NOT NULL,
    subject_id   uuid        NOT NULL,
    estate_id    uuid,
    shard        smallint    NOT NULL,
    occur_time   timestamptz NOT NULL,
    traceparent  text        NOT NULL,
    payload      bytea       NOT NULL,
    create_time  timestamptz NOT NULL,
    publish_time timestamptz,
    position     bigint,
    CONSTRAINT outbox_pkey PRIMARY KEY (seq, create_time),
    CONSTRAINT outbox_published_check CHECK ((publish_time IS NULL) = (position IS NULL))
) PARTITION BY RANGE (create_time);
-- Every row is updated once, when it is published: vacuum early, so that the index of the unpublished stays small.
CREATE TABLE {schema}.outbox_default PARTITION OF {schema}.outbox DEFAULT
    WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX outbox_unpublished_idx ON {schema}.outbox (shard, seq) WHERE publish_time IS NULL;
CREATE INDEX outbox_position_idx ON {schema}.outbox (shard, position);

-- The lock and the counter of each shard's relay. `stream_end` is where its stream must reach at least: a stream that
-- ends earlier has lost entries.
CREATE TABLE {schema}.relay_shards (
    shard      smallint NOT NULL,
    position   bigint   NOT NULL,
    stream_end bigint   NOT NULL,
    CONSTRAINT relay_shards_pkey PRIMARY KEY (shard),
    CONSTRAINT relay_shards_position_check CHECK (position >= 0 AND stream_end BETWEEN 0 AND position)
);
INSERT INTO {schema}.relay_shards (shard, position, stream_end) SELECT shard, 0, 0 FROM generate_series(0, {event_shards} - 1) AS shard;

-- Up to where each consumer group has acknowledged everything; what a lost stream is filled again from.
CREATE TABLE {schema}.outbox_watermarks (
    shard       smallint    NOT NULL,
    consumer    text        NOT NULL,
    position    bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT outbox_watermarks_pkey PRIMARY KEY (shard, consumer)
);

-- The events a consumer of this service has applied.
CREATE TABLE {schema}.inbox (
    consumer     text        NOT NULL,
    event_id     uuid        NOT NULL,
    process_time timestamptz NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_process_time_idx ON {schema}.inbox (process_time);

-- Events that a consumer could not apply, kept whole until they are redriven.
CREATE TABLE {schema}.dead_letters (
    id            uuid        NOT NULL,
    consumer      text        NOT NULL,
    event_id      uuid        NOT NULL,
    cause         text        NOT NULL,
    preview       jsonb       NOT NULL,
    event         bytea       NOT NULL,
    attempt_count integer     NOT NULL,
    create_time   timestamptz NOT NULL,
    CONSTRAINT dead_letters_pkey PRIMARY KEY (id),
    CONSTRAINT dead_letters_consumer_event_id_key UNIQUE (consumer, event_id)
);

-- Drops the months of the outbox that end before `before`, were published whole, and were acknowledged by every
-- consumer group that has a watermark. Stops at the first month that must stay.
CREATE FUNCTION {schema}.drop_outbox_partitions(before timestamptz)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    part text;
    needed boolean;
    dropped integer := 0;
BEGIN
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = '{schema}.outbox'::regclass AND c.relname ~ '^outbox_y[0-9]{4}m[0-9]{2}$'
           AND (to_date(substr(c.relname, 9), 'YYYY"m"MM') + interval '1 month') AT TIME ZONE 'UTC' <= before
         ORDER BY c.relname
    LOOP
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM {schema}.%1$I WHERE publish_time IS NULL)
                 OR EXISTS (SELECT FROM {schema}.outbox_watermarks w
                             WHERE EXISTS (SELECT FROM {schema}.%1$I o WHERE o.shard = w.shard AND o.position > w.position))', part)
           INTO needed;
        EXIT WHEN needed;
        EXECUTE format('DROP TABLE {schema}.%I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION {schema}.drop_outbox_partitions(timestamptz) FROM PUBLIC;
