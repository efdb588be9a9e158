-- Why cases of a category keep coming, and what is done about it (WO-54). What people wrote is sealed. What an action came to is counted
-- from case_facts when it is asked, and stored nowhere.
CREATE TABLE work_order.root_causes (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    category    text        NOT NULL,
    answers     bytea       NOT NULL,
    evidence    uuid[]      NOT NULL,
    author_kind text        NOT NULL,
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT root_causes_pkey PRIMARY KEY (estate_id, id)
);
CREATE INDEX root_causes_id_idx ON work_order.root_causes (id);
CREATE TABLE work_order.corrective_actions (
    estate_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    root_cause_id uuid        NOT NULL,
    description   bytea       NOT NULL,
    responsible   text        NOT NULL,
    start_date    date        NOT NULL,
    create_time   timestamptz NOT NULL,
    CONSTRAINT corrective_actions_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT corrective_actions_root_cause_id_fkey FOREIGN KEY (estate_id, root_cause_id)
        REFERENCES work_order.root_causes (estate_id, id)
);
CREATE INDEX corrective_actions_root_cause_id_idx ON work_order.corrective_actions (estate_id, root_cause_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.root_causes, work_order.corrective_actions FROM work_order_app;
        GRANT SELECT, INSERT ON work_order.root_causes, work_order.corrective_actions TO work_order_app;
        -- The job of a key rotation seals anew.
        GRANT UPDATE ON work_order.root_causes, work_order.corrective_actions TO work_order_app;
    END IF;
END $$;
