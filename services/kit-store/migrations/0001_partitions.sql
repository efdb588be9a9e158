-- Monthly range partitions, made ahead of time by the app role, which may not create tables itself.
-- Months are cut in UTC: a partition is storage, not business time. Rows that reached the DEFAULT partition first
-- (a clock moved far ahead) are moved into the month that is made for them. Gives up rather than let others queue behind it.
CREATE FUNCTION {schema}.ensure_partitions(table_name text, from_time timestamptz, until_time timestamptz)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    parent oid;
    key_column text;
    options text;
    month timestamptz := date_trunc('month', from_time, 'UTC');
    next_month timestamptz;
    part text;
    made integer := 0;
BEGIN
    SELECT c.oid, a.attname INTO parent, key_column
      FROM pg_class c
      JOIN pg_partitioned_table p ON p.partrelid = c.oid AND p.partstrat = 'r'
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
     WHERE c.relnamespace = '{schema}'::regnamespace AND c.relname = table_name;
    IF parent IS NULL THEN
        RAISE EXCEPTION 'no range-partitioned table % in schema {schema}', table_name USING ERRCODE = 'undefined_table';
    END IF;
    -- One maker at a time; the others find the work done.
    PERFORM pg_advisory_xact_lock(hashtextextended('{schema}.' || table_name, 0));
    SELECT array_to_string(c.reloptions, ', ') INTO options
      FROM pg_class c WHERE c.relnamespace = '{schema}'::regnamespace AND c.relname = table_name || '_default';
    WHILE month <= until_time LOOP
        next_month := date_trunc('month', month + interval '32 days', 'UTC');
        part := table_name || to_char(month AT TIME ZONE 'UTC', '"_y"YYYY"m"MM');
        IF to_regclass(format('{schema}.%I', part)) IS NULL THEN
            EXECUTE format('CREATE TABLE {schema}.%I (LIKE {schema}.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)',
                           part, table_name);
            EXECUTE format('WITH moved AS (DELETE FROM {schema}.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO {schema}.%I SELECT * FROM moved',
                           table_name || '_default', key_column, month, key_column, next_month, part);
            -- ATTACH, not PARTITION OF: the parent stays readable and writable meanwhile.
            EXECUTE format('ALTER TABLE {schema}.%I ATTACH PARTITION {schema}.%I FOR VALUES FROM (%L) TO (%L)',
                           table_name, part, month, next_month);
            IF options IS NOT NULL THEN
                EXECUTE format('ALTER TABLE {schema}.%I SET (%s)', part, options);
            END IF;
            -- Rows are reached through the table, with its grants; default privileges would open a way around them.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
                EXECUTE format('REVOKE ALL ON {schema}.%I FROM {schema}_app', part);
            END IF;
            made := made + 1;
        END IF;
        month := next_month;
    END LOOP;
    RETURN made;
END $$;

REVOKE EXECUTE ON FUNCTION {schema}.ensure_partitions(text, timestamptz, timestamptz) FROM PUBLIC;
