-- How often a worker became accountable for an order: who looks at a worker and then gives them another writes only if this is still
-- what it was, so that nobody gets more than their limit, however many give at once. `take_time` is the last such moment: whoever
-- waits longest comes first in a rotation.
ALTER TABLE work_order.workers
    ADD COLUMN takes bigint NOT NULL DEFAULT 0,
    ADD COLUMN take_time timestamptz,
    ADD CONSTRAINT workers_takes_check CHECK (takes >= 0);

-- Undoes a statement that would give an order to somebody while the order itself has moved on.
CREATE FUNCTION work_order.give_way() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the order moved on' USING CONSTRAINT = 'work_orders_row_version_seen';
END $$;
