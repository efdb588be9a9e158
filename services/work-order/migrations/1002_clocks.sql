-- The time limits of orders. A clock runs anew on a milestone that repeats (`generation`) and in each cycle; what was
-- judged stays.
CREATE TABLE work_order.clocks (
    estate_id     uuid        NOT NULL,
    work_order_id uuid        NOT NULL,
    cycle         integer     NOT NULL,
    name          text        NOT NULL,
    generation    integer     NOT NULL,
    -- Place among the order's clocks, in the order started.
    place         integer     NOT NULL,
    state         text        NOT NULL,
    start_time    timestamptz NOT NULL,
    due_time      timestamptz,
    stop_time     timestamptz,
    verdict       text,
    provisional   boolean     NOT NULL,
    -- The whole clock: limit, ladder, pauses, terms. The columns above repeat of it what is searched and counted by.
    clock         jsonb       NOT NULL,
    CONSTRAINT clocks_pkey PRIMARY KEY (estate_id, work_order_id, cycle, name, generation),
    CONSTRAINT clocks_work_order_id_fkey FOREIGN KEY (estate_id, work_order_id) REFERENCES work_order.work_orders (estate_id, id),
    CONSTRAINT clocks_state_check CHECK (state IN ('running', 'paused', 'stopped', 'void')),
    CONSTRAINT clocks_verdict_check CHECK (verdict IN ('kept', 'late'))
);
-- Deadlines that rest on a year not announced yet, verdicts among them, for the recomputation when it is.
CREATE INDEX clocks_provisional_idx ON work_order.clocks (estate_id, work_order_id)
    WHERE provisional AND state <> 'void';
