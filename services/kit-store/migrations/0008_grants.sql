-- The app role writes rows; it makes no tables, and history and versions it can not change.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
        GRANT USAGE ON SCHEMA {schema} TO {schema}_app;
        REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {schema}_app;
        GRANT SELECT ON {schema}._sqlx_migrations TO {schema}_app;
        GRANT SELECT, INSERT, DELETE ON {schema}.idempotency_claims, {schema}.inbox, {schema}.dead_letters TO {schema}_app;
        GRANT SELECT, INSERT, UPDATE ON {schema}.outbox TO {schema}_app;
        GRANT SELECT, UPDATE ON {schema}.relay_shards, {schema}.policy_epoch TO {schema}_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.outbox_watermarks, {schema}.timers, {schema}.calendar_years TO {schema}_app;
        GRANT SELECT, INSERT ON {schema}.policies TO {schema}_app;
        IF to_regclass('{schema}.estates') IS NOT NULL THEN
            GRANT SELECT, INSERT, UPDATE ON {schema}.estates TO {schema}_app;
        END IF;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {schema}_app;
        GRANT EXECUTE ON FUNCTION {schema}.write_effects(jsonb),
            {schema}.create_policy_version(uuid, text, text, uuid, bytea, timestamptz, text, timestamptz),
            {schema}.ensure_partitions(text, timestamptz, timestamptz),
            {schema}.drop_outbox_partitions(timestamptz) TO {schema}_app;
    END IF;
END $$;
