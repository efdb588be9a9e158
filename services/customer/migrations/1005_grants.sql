-- The app role writes rows; the audit it can only append to.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        GRANT SELECT, INSERT, UPDATE ON customer.estates, customer.buildings, customer.entrances, customer.units,
            customer.customers, customer.tenures, customer.estate_imports, customer.estate_import_rows TO customer_app;
        GRANT SELECT, INSERT, DELETE ON customer.estate_import_parts TO customer_app;
        GRANT SELECT, INSERT ON customer.timeline_entries TO customer_app;
        GRANT USAGE ON SEQUENCE customer.customer_numbers TO customer_app;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON customer.audit_entries, customer.audit_entries_default, customer.audit_heads
            FROM customer_app;
        GRANT SELECT ON customer.audit_entries TO customer_app;
        GRANT EXECUTE ON FUNCTION customer.append_audit(jsonb) TO customer_app;
        REVOKE DELETE ON customer.estates, customer.buildings, customer.entrances, customer.units, customer.customers,
            customer.tenures, customer.estate_imports, customer.estate_import_rows, customer.timeline_entries FROM customer_app;
    END IF;
END $$;
