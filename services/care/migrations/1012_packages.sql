-- Packages and who has them (CA-61 to CA-64), parcels (CA-62): documents in the one shape of 1000_documents.sql.
CREATE TABLE care.service_packages (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    sort_time   timestamptz NOT NULL,
    mark_time   timestamptz,
    unique_key  text,
    document    jsonb       NOT NULL,
    row_version bigint      NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT service_packages_pkey PRIMARY KEY (estate_id, id)
);
CREATE INDEX service_packages_id_idx ON care.service_packages (id);
CREATE INDEX service_packages_estate_id_idx ON care.service_packages (estate_id, sort_time DESC, id DESC);

CREATE TABLE care.enrolments (
    estate_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    state        text        NOT NULL,
    sort_time    timestamptz NOT NULL,
    mark_time    timestamptz,
    unique_key   text,
    document     jsonb       NOT NULL,
    row_version  bigint      NOT NULL,
    create_time  timestamptz NOT NULL,
    update_time  timestamptz NOT NULL,
    household_id uuid GENERATED ALWAYS AS ((document ->> 'household_id')::uuid) STORED,
    customer_id  uuid GENERATED ALWAYS AS ((document ->> 'customer_id')::uuid) STORED,
    CONSTRAINT enrolments_pkey PRIMARY KEY (estate_id, id),
    -- One of a household and a package that is not over.
    CONSTRAINT enrolments_key UNIQUE (estate_id, unique_key),
    CONSTRAINT enrolments_state_check CHECK (state IN ('active', 'ending', 'ended'))
);
CREATE INDEX enrolments_id_idx ON care.enrolments (id);
CREATE INDEX enrolments_estate_id_idx ON care.enrolments (estate_id, sort_time DESC, id DESC);
CREATE INDEX enrolments_household_id_idx ON care.enrolments (estate_id, household_id, sort_time DESC, id DESC);

-- How much of an item was used in a month (CA-63): the row's lock decides what of a use is still free.
CREATE TABLE care.package_quotas (
    estate_id     uuid   NOT NULL,
    enrolment_id  uuid   NOT NULL,
    item_code     text   NOT NULL,
    month         date   NOT NULL,
    used_quantity bigint NOT NULL,
    CONSTRAINT package_quotas_pkey PRIMARY KEY (estate_id, enrolment_id, item_code, month)
);

-- Each use and what it cost. Never changed.
CREATE TABLE care.package_uses (
    estate_id      uuid        NOT NULL,
    enrolment_id   uuid        NOT NULL,
    id             uuid        NOT NULL,
    item_code      text        NOT NULL,
    use_date       date        NOT NULL,
    quantity       bigint      NOT NULL,
    free_quantity  bigint      NOT NULL,
    charge_cents   bigint      NOT NULL,
    month_quantity bigint      NOT NULL,
    create_time    timestamptz NOT NULL,
    CONSTRAINT package_uses_pkey PRIMARY KEY (estate_id, enrolment_id, id),
    CONSTRAINT package_uses_quantity_check CHECK (quantity > 0 AND free_quantity BETWEEN 0 AND quantity)
);
CREATE INDEX package_uses_id_idx ON care.package_uses (id);

CREATE TABLE care.parcels (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    sort_time   timestamptz NOT NULL,
    mark_time   timestamptz,
    unique_key  text,
    document    jsonb       NOT NULL,
    row_version bigint      NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT parcels_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT parcels_state_check CHECK (state IN ('kept', 'overdue', 'handed_out'))
);
CREATE INDEX parcels_id_idx ON care.parcels (id);
CREATE INDEX parcels_estate_id_idx ON care.parcels (estate_id, sort_time DESC, id DESC);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        REVOKE ALL ON care.service_packages, care.enrolments, care.package_quotas, care.package_uses, care.parcels FROM care_app;
        GRANT SELECT, INSERT, UPDATE ON care.service_packages, care.enrolments, care.package_quotas, care.parcels TO care_app;
        GRANT SELECT, INSERT ON care.package_uses TO care_app;
    END IF;
END $$;
