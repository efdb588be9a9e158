-- What figures are counted from: one row per cycle of an order, plan-neutral, written by the statement that writes the order.
-- A period reads its own rows through one of the indexes below, however old the estate is.
CREATE TABLE work_order.case_facts (
    estate_id            uuid        NOT NULL,
    work_order_id        uuid        NOT NULL,
    cycle                integer     NOT NULL,
    number               text        NOT NULL,
    unit_id              uuid,
    customer_id          uuid,
    is_last              boolean     NOT NULL,
    kind                 text        NOT NULL,
    category             text        NOT NULL,
    channel              text        NOT NULL,
    -- How the order stands to figures: the edge-case matrix.
    standing             text        NOT NULL,
    occur_time           timestamptz NOT NULL,
    receive_time         timestamptz NOT NULL,
    start_time           timestamptz NOT NULL,
    end_time             timestamptz,
    respond_time         timestamptz,
    arrive_time          timestamptz,
    assess_time          timestamptz,
    complete_time        timestamptz,
    close_time           timestamptz,
    close_code           text,
    opinion              text        NOT NULL,
    opinion_time         timestamptz,
    result_due_time      timestamptz,
    callback_due_time    timestamptz,
    callback_provisional boolean     NOT NULL,
    reach_time           timestamptz,
    exhaust_time         timestamptz,
    score                integer,
    score_time           timestamptz,
    is_case_score        boolean     NOT NULL,
    suspended_seconds    bigint      NOT NULL,
    CONSTRAINT case_facts_pkey PRIMARY KEY (estate_id, work_order_id, cycle),
    CONSTRAINT case_facts_work_order_id_fkey FOREIGN KEY (estate_id, work_order_id)
        REFERENCES work_order.work_orders (estate_id, id),
    CONSTRAINT case_facts_kind_check CHECK (kind IN ('inquiry', 'repair', 'complaint', 'request', 'suggestion', 'praise')),
    CONSTRAINT case_facts_standing_check CHECK (standing IN ('valid', 'duplicate', 'error', 'withdrawn', 'invalid',
        'out_of_scope', 'internal', 'transferred')),
    CONSTRAINT case_facts_opinion_check CHECK (opinion IN ('accepts', 'objects', 'silent')),
    CONSTRAINT case_facts_score_check CHECK (score BETWEEN 1 AND 5)
);
CREATE INDEX case_facts_occur_time_idx ON work_order.case_facts (estate_id, occur_time);
CREATE INDEX case_facts_callback_due_time_idx ON work_order.case_facts (estate_id, callback_due_time)
    WHERE callback_due_time IS NOT NULL;
CREATE INDEX case_facts_close_time_idx ON work_order.case_facts (estate_id, close_time) WHERE close_time IS NOT NULL;
CREATE INDEX case_facts_complete_time_idx ON work_order.case_facts (estate_id, complete_time) WHERE complete_time IS NOT NULL;
CREATE INDEX case_facts_assess_time_idx ON work_order.case_facts (estate_id, assess_time) WHERE assess_time IS NOT NULL;
-- The cases of a household before and after one: first contacts, repeats.
CREATE INDEX case_facts_unit_id_idx ON work_order.case_facts (estate_id, unit_id, occur_time) WHERE unit_id IS NOT NULL AND cycle = 1;
-- Deadlines of a period.
CREATE INDEX clocks_due_time_idx ON work_order.clocks (estate_id, due_time) WHERE due_time IS NOT NULL;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.case_facts FROM work_order_app;
        GRANT SELECT, INSERT, UPDATE ON work_order.case_facts TO work_order_app;
    END IF;
END $$;
