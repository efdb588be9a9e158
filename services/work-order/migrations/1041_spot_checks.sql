-- Closed orders that somebody looks at again (WO-74): a sample of each week, drawn once the week is over.
CREATE TABLE work_order.spot_checks (
    estate_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    -- Its Monday, in the estate's zone.
    week_start_date date        NOT NULL,
    work_order_id   uuid        NOT NULL,
    number          text        NOT NULL,
    -- Staff subjects who handled the order.
    handlers        text[]      NOT NULL,
    state           text        NOT NULL,
    due_time        timestamptz NOT NULL,
    overdue         boolean     NOT NULL DEFAULT false,
    -- Roles told when it is overdue.
    notify_roles    text[]      NOT NULL,
    finding_codes   text[]      NOT NULL DEFAULT '{}',
    record_time     timestamptz,
    checker         text,
    create_time     timestamptz NOT NULL,
    CONSTRAINT spot_checks_pkey PRIMARY KEY (estate_id, id),
    -- An order is drawn once for a week, however often the week is drawn.
    CONSTRAINT spot_checks_work_order_id_week_start_date_key UNIQUE (estate_id, work_order_id, week_start_date),
    CONSTRAINT spot_checks_state_check CHECK (state IN ('open', 'passed', 'failed')),
    CONSTRAINT spot_checks_record_time_check CHECK ((state = 'open') = (record_time IS NULL) AND (record_time IS NULL) = (checker IS NULL))
);
-- A result names a check by its id alone; not unique, because a table distributed by estate allows no such constraint.
CREATE INDEX spot_checks_id_idx ON work_order.spot_checks (id);
CREATE INDEX spot_checks_due_time_idx ON work_order.spot_checks (estate_id, due_time DESC, id DESC);

-- Estates that are known already: the end of the week that runs now. New ones begin with their own event.
INSERT INTO work_order.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
SELECT gen_random_uuid(), 'draw_spot_checks', e.id, '', e.id, w.monday, w.monday, now()
  FROM work_order.estates e,
       LATERAL (SELECT (date_trunc('week', now() AT TIME ZONE e.time_zone) + interval '7 days') AT TIME ZONE e.time_zone AS monday) AS w
ON CONFLICT ON CONSTRAINT timers_subject_id_kind_key_key DO NOTHING;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.spot_checks FROM work_order_app;
        GRANT SELECT, INSERT, UPDATE ON work_order.spot_checks TO work_order_app;
    END IF;
END $$;
