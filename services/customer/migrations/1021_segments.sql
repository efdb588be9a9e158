-- Tags (CP-22 to CP-24): a rule is a predicate in immutable versions; who has a tag, and why, is derived.
CREATE TABLE customer.tags (
    id          uuid        NOT NULL,
    code        text        NOT NULL,
    name_zh     text        NOT NULL,
    name_en     text        NOT NULL,
    state       text        NOT NULL,
    version     integer     NOT NULL,
    row_version bigint      NOT NULL DEFAULT 1,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT tags_pkey PRIMARY KEY (id),
    CONSTRAINT tags_code_key UNIQUE (code),
    CONSTRAINT tags_state_check CHECK (state IN ('active', 'retired'))
);
CREATE TABLE customer.tag_versions (
    tag_id      uuid        NOT NULL,
    version     integer     NOT NULL,
    -- The predicate, encoded.
    predicate   bytea       NOT NULL,
    created_by  text        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT tag_versions_pkey PRIMARY KEY (tag_id, version),
    CONSTRAINT tag_versions_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES customer.tags (id)
);
CREATE TABLE customer.tag_assignments (
    household_id uuid        NOT NULL,
    customer_id  uuid        NOT NULL,
    tag_id       uuid        NOT NULL,
    estate_id    uuid        NOT NULL,
    version      integer     NOT NULL,
    -- The conditions that held.
    reasons      jsonb       NOT NULL,
    set_time     timestamptz NOT NULL,
    remove_time  timestamptz,
    CONSTRAINT tag_assignments_pkey PRIMARY KEY (household_id, customer_id, tag_id, set_time),
    CONSTRAINT tag_assignments_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES customer.tags (id)
);
CREATE UNIQUE INDEX tag_assignments_present_key ON customer.tag_assignments (household_id, customer_id, tag_id)
    WHERE remove_time IS NULL;
CREATE INDEX tag_assignments_customer_id_idx ON customer.tag_assignments (customer_id);

-- Segments (CP-52): a saved predicate, and audiences frozen from it.
CREATE TABLE customer.segments (
    id          uuid        NOT NULL,
    -- NULL: the whole group.
    estate_id   uuid,
    name        text        NOT NULL,
    subject     text        NOT NULL,
    -- Encoded: customer.v1.SegmentDefinition.
    definition  bytea       NOT NULL,
    row_version bigint      NOT NULL DEFAULT 1,
    created_by  text        NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT segments_pkey PRIMARY KEY (id),
    CONSTRAINT segments_subject_check CHECK (subject IN ('household', 'customer')),
    CONSTRAINT segments_estate_id_fkey FOREIGN KEY (estate_id) REFERENCES customer.estates (id)
);
CREATE UNIQUE INDEX segments_estate_id_name_key ON customer.segments (estate_id, name) NULLS NOT DISTINCT;
CREATE TABLE customer.audiences (
    id             uuid        NOT NULL,
    segment_id     uuid        NOT NULL,
    estate_id      uuid,
    definition     bytea       NOT NULL,
    as_of_date     date        NOT NULL,
    member_count   integer     NOT NULL,
    excluded_count integer     NOT NULL,
    -- Over the sorted ids of the members: two audiences with the same are the same.
    digest         bytea       NOT NULL,
    taken_by       text        NOT NULL,
    create_time    timestamptz NOT NULL,
    CONSTRAINT audiences_pkey PRIMARY KEY (id),
    CONSTRAINT audiences_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES customer.segments (id)
);
CREATE INDEX audiences_segment_id_idx ON customer.audiences (segment_id, id DESC);
CREATE TABLE customer.audience_entries (
    audience_id  uuid      NOT NULL,
    household_id uuid      NOT NULL,
    customer_id  uuid      NOT NULL,
    estate_id    uuid      NOT NULL,
    unit_id      uuid      NOT NULL,
    -- Which exclusion left it out; NULL for a member.
    exclusion    text,
    -- What each condition came to, in the order of the definition: those of the predicate, then of the exclusions.
    truths       boolean[] NOT NULL,
    -- The facts that the conditions asked, but for personal ones.
    facts        jsonb     NOT NULL,
    CONSTRAINT audience_entries_pkey PRIMARY KEY (audience_id, household_id, customer_id),
    CONSTRAINT audience_entries_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES customer.audiences (id)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        GRANT SELECT, INSERT, UPDATE ON customer.tags, customer.tag_assignments, customer.segments TO customer_app;
        GRANT SELECT, INSERT ON customer.tag_versions, customer.audiences, customer.audience_entries TO customer_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON customer.tag_versions, customer.audiences, customer.audience_entries FROM customer_app;
        REVOKE DELETE ON customer.tags, customer.tag_assignments, customer.segments FROM customer_app;
    END IF;
END $$;
