-- One verb done to many orders. Which orders is settled when the job starts; each gets its verdict in the transaction that does the verb to
-- it, so that a crash leaves a job where it stood, and nothing is done twice.
CREATE TABLE work_order.order_jobs (
    estate_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    -- What is done, codes and staff subjects only.
    task          jsonb       NOT NULL,
    actor_kind    text        NOT NULL,
    actor_subject text        NOT NULL,
    item_count    integer     NOT NULL,
    done_count    integer     NOT NULL,
    refused_count integer     NOT NULL,
    create_time   timestamptz NOT NULL,
    end_time      timestamptz,
    CONSTRAINT order_jobs_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT order_jobs_counts_check CHECK (done_count >= 0 AND refused_count >= 0 AND done_count + refused_count <= item_count)
);
-- A job is asked for by its id alone.
CREATE INDEX order_jobs_id_idx ON work_order.order_jobs (id);

CREATE TABLE work_order.order_job_items (
    estate_id     uuid    NOT NULL,
    order_job_id  uuid    NOT NULL,
    place         integer NOT NULL,
    work_order_id uuid    NOT NULL,
    -- Null while it waits for its turn.
    verdict       text,
    -- Empty unless refused.
    reason        text    NOT NULL,
    settle_time   timestamptz,
    CONSTRAINT order_job_items_pkey PRIMARY KEY (estate_id, order_job_id, place),
    CONSTRAINT order_job_items_work_order_id_key UNIQUE (estate_id, order_job_id, work_order_id),
    CONSTRAINT order_job_items_verdict_check CHECK (verdict IN ('done', 'refused')),
    CONSTRAINT order_job_items_settle_time_check CHECK ((verdict IS NULL) = (settle_time IS NULL))
);
-- Those whose turn comes next.
CREATE INDEX order_job_items_waiting_idx ON work_order.order_job_items (estate_id, order_job_id, place) WHERE verdict IS NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.order_jobs, work_order.order_job_items FROM work_order_app;
        GRANT SELECT, INSERT, UPDATE ON work_order.order_jobs, work_order.order_job_items TO work_order_app;
    END IF;
END $$;
