-- The job that brings sealed values under the current key (kit_store::rekey) seals the answers of old claims anew.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
        GRANT UPDATE (response) ON {schema}.idempotency_claims TO {schema}_app;
    END IF;
END $$;
