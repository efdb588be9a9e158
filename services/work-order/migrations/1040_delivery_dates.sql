-- When units were handed over to their first owners: warranties count from then (WO-50). Units that are known already learn it with
-- their next change.
ALTER TABLE work_order.units ADD COLUMN delivery_date date;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        GRANT UPDATE (delivery_date) ON work_order.units TO work_order_app;
    END IF;
END $$;
