-- Promises with a date, live ones only: a row exists while its timer is pending and is deleted by the transaction that
-- fires it. `id` is new each time the timer is set, so a stale wake-up can not fire what was moved. `wake_time` is
-- `due_time`, put later only while a handler keeps failing.
CREATE TABLE {schema}.timers (
    id            uuid        NOT NULL,
    kind          text        NOT NULL,
    subject_id    uuid        NOT NULL,
    key           text        NOT NULL,
    estate_id     uuid,
    due_time      timestamptz NOT NULL,
    wake_time     timestamptz NOT NULL,
    attempt_count integer     NOT NULL DEFAULT 0,
    create_time   timestamptz NOT NULL,
    CONSTRAINT timers_pkey PRIMARY KEY (id),
    CONSTRAINT timers_subject_id_kind_key_key UNIQUE (subject_id, kind, key),
    CONSTRAINT timers_wake_time_check CHECK (wake_time >= due_time)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
-- The order in which timers fire, and the sweeper's way through them.
CREATE INDEX timers_wake_time_idx ON {schema}.timers (wake_time, id);
