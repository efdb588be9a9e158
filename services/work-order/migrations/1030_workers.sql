-- Who works in an estate: what they can do, when, for whom, and how much at a time. A row is put as a whole, and locked by whoever
-- takes an order for its worker, so that nobody takes more than their limit.
CREATE TABLE work_order.workers (
    estate_id    uuid        NOT NULL,
    principal    text        NOT NULL,
    -- Category codes; a code covers the codes below it.
    skills       text[]      NOT NULL,
    line_manager text,
    -- Half-open stretches of time, `{"start": …, "end": …}`: read and written with their worker.
    shifts       jsonb       NOT NULL,
    open_limit   integer     NOT NULL,
    update_time  timestamptz NOT NULL,
    row_version  bigint      NOT NULL,
    CONSTRAINT workers_pkey PRIMARY KEY (estate_id, principal),
    CONSTRAINT workers_line_manager_check CHECK (line_manager <> principal),
    CONSTRAINT workers_open_limit_check CHECK (open_limit >= 0),
    CONSTRAINT workers_row_version_check CHECK (row_version > 0)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.workers FROM work_order_app;
        GRANT SELECT, INSERT, UPDATE ON work_order.workers TO work_order_app;
    END IF;
END $$;
