-- Named working-hours calendars that operators loaded; versions never change, the highest of a name and scope holds.
CREATE TABLE {schema}.working_hours (
    id          uuid        NOT NULL,
    scope_kind  text        NOT NULL,
    scope_id    uuid,
    name        text        NOT NULL,
    version     bigint      NOT NULL,
    document    text        NOT NULL,
    created_by  text        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT working_hours_pkey PRIMARY KEY (id),
    CONSTRAINT working_hours_scope_name_version_key UNIQUE NULLS NOT DISTINCT (scope_kind, scope_id, name, version),
    CONSTRAINT working_hours_scope_kind_check CHECK (scope_kind IN ('base', 'group', 'region', 'estate')),
    CONSTRAINT working_hours_scope_id_check CHECK ((scope_kind = 'base') = (scope_id IS NULL)),
    CONSTRAINT working_hours_version_check CHECK (version > 0)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
        REVOKE ALL ON {schema}.working_hours FROM {schema}_app;
        GRANT SELECT, INSERT ON {schema}.working_hours TO {schema}_app;
    END IF;
END $$;
