-- What happened to each order, append-only and hash-chained: proof. Months are partitions.
CREATE TABLE work_order.history (
    estate_id     uuid        NOT NULL,
    work_order_id uuid        NOT NULL,
    position      integer     NOT NULL,
    action        text        NOT NULL,
    state         text        NOT NULL,
    actor_kind    text        NOT NULL,
    actor_subject text        NOT NULL,
    occur_time    timestamptz NOT NULL,
    record_time   timestamptz NOT NULL,
    -- Codes only, never free text.
    detail        jsonb       NOT NULL,
    hash          bytea       NOT NULL,
    CONSTRAINT history_pkey PRIMARY KEY (estate_id, work_order_id, position, record_time),
    CONSTRAINT history_actor_kind_check CHECK (actor_kind IN ('staff', 'customer', 'service', 'device'))
) PARTITION BY RANGE (record_time);
CREATE TABLE work_order.history_default PARTITION OF work_order.history DEFAULT;
