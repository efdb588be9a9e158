-- A partition made with its table got the default privileges of tables, which are more than the table's own: entries of a
-- timeline that wait for their month could be deleted around it. Rows are reached through the table.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        REVOKE ALL ON customer.timeline_entries_default FROM customer_app;
    END IF;
END $$;
