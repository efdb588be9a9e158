-- The app role writes rows; history it can only add to.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.units, work_order.work_orders, work_order.number_blocks, work_order.clocks,
            work_order.history, work_order.history_default FROM work_order_app;
        GRANT SELECT, INSERT ON work_order.units, work_order.history TO work_order_app;
        GRANT SELECT, INSERT, UPDATE ON work_order.work_orders, work_order.number_blocks, work_order.clocks TO work_order_app;
    END IF;
END $$;
