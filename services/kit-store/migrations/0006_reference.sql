-- What a service keeps in memory and must never trust when stale: policies, the estate directory, calendars.
-- `policy_epoch` rises in the statement of every change to any of them; a write that was decided by the memory
-- compares it in its own statement.
CREATE TABLE {schema}.policy_epoch (
    singleton boolean NOT NULL DEFAULT true,
    epoch     bigint  NOT NULL,
    CONSTRAINT policy_epoch_pkey PRIMARY KEY (singleton),
    CONSTRAINT policy_epoch_singleton_check CHECK (singleton)
);
INSERT INTO {schema}.policy_epoch (epoch) VALUES (1);

-- Versions of policy documents; rows never change.
CREATE TABLE {schema}.policies (
    id             uuid        NOT NULL,
    kind           text        NOT NULL,
    scope_kind     text        NOT NULL,
    scope_id       uuid,
    version        bigint      NOT NULL,
    document       bytea       NOT NULL,
    effective_time timestamptz NOT NULL,
    created_by     text        NOT NULL,
    create_time    timestamptz NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (id),
    CONSTRAINT policies_kind_scope_version_key UNIQUE NULLS NOT DISTINCT (kind, scope_kind, scope_id, version),
    CONSTRAINT policies_scope_kind_check CHECK (scope_kind IN ('base', 'group', 'region', 'estate')),
    CONSTRAINT policies_scope_id_check CHECK ((scope_kind = 'base') = (scope_id IS NULL)),
    CONSTRAINT policies_version_check CHECK (version > 0)
);

-- Adds a version and raises the epoch in the caller's statement. The epoch's row lock makes versions of one scope count
-- one after the other: each statement of a volatile function sees what was committed before it began.
CREATE FUNCTION {schema}.create_policy_version(
    new_id uuid, of_kind text, of_scope_kind text, of_scope_id uuid, new_document bytea, effective timestamptz, author text,
    written timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    UPDATE {schema}.policy_epoch SET epoch = epoch + 1;
    INSERT INTO {schema}.policies (id, kind, scope_kind, scope_id, version, document, effective_time, created_by, create_time)
    SELECT new_id, of_kind, of_scope_kind, of_scope_id, coalesce(max(p.version), 0) + 1, new_document, effective, author, written
      FROM {schema}.policies p
     WHERE p.kind = of_kind AND p.scope_kind = of_scope_kind AND p.scope_id IS NOT DISTINCT FROM of_scope_id
    RETURNING version INTO given;
    RETURN given;
END $$;

-- Calendar years that operators loaded; they take precedence over the shipped ones. A row with a region adds to the
-- national year of that region.
CREATE TABLE {schema}.calendar_years (
    id          uuid        NOT NULL,
    region      text,
    year        smallint    NOT NULL,
    document    text        NOT NULL,
    created_by  text        NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT calendar_years_pkey PRIMARY KEY (id),
    CONSTRAINT calendar_years_region_year_key UNIQUE NULLS NOT DISTINCT (region, year),
    CONSTRAINT calendar_years_year_check CHECK (year BETWEEN 1949 AND 2200)
);
