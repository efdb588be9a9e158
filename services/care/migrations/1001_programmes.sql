-- Programmes in versions. What was published never changes but in state; of a code one version is published in a scope.
CREATE TABLE care.programmes (
    id                uuid        NOT NULL,
    estate_id         uuid,
    code              text        NOT NULL,
    version           integer     NOT NULL,
    state             text        NOT NULL,
    document          bytea       NOT NULL,
    content_hash      bytea       NOT NULL,
    plan_item_id      uuid,
    author_kind       text        NOT NULL,
    author_subject    text        NOT NULL,
    publisher_kind    text,
    publisher_subject text,
    create_time       timestamptz NOT NULL,
    publish_time      timestamptz,
    retire_time       timestamptz,
    row_version       bigint      NOT NULL,
    CONSTRAINT programmes_pkey PRIMARY KEY (id),
    CONSTRAINT programmes_version_key UNIQUE NULLS NOT DISTINCT (estate_id, code, version),
    CONSTRAINT programmes_state_check CHECK (state IN ('draft', 'published', 'retired')),
    CONSTRAINT programmes_publish_time_check CHECK ((state = 'draft') = (publish_time IS NULL))
);
CREATE UNIQUE INDEX programmes_published_key ON care.programmes (estate_id, code) NULLS NOT DISTINCT WHERE state = 'published';
CREATE INDEX programmes_create_time_idx ON care.programmes (create_time DESC, id DESC);

CREATE TABLE care.programme_evaluations (
    estate_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    programme_id uuid        NOT NULL,
    metric_id    text        NOT NULL,
    document     jsonb       NOT NULL,
    create_time  timestamptz NOT NULL,
    CONSTRAINT programme_evaluations_pkey PRIMARY KEY (estate_id, id)
);
CREATE INDEX programme_evaluations_programme_id_idx ON care.programme_evaluations (estate_id, programme_id, create_time);
CREATE INDEX programme_evaluations_metric_id_idx ON care.programme_evaluations (estate_id, metric_id, create_time);

-- How far the planner is with a programme in an estate: what is planned up to which day, and which definition is next.
CREATE TABLE care.planner_runs (
    programme_id uuid        NOT NULL,
    estate_id    uuid        NOT NULL,
    planned_date date        NOT NULL,
    definition   integer     NOT NULL,
    update_time  timestamptz NOT NULL,
    CONSTRAINT planner_runs_pkey PRIMARY KEY (programme_id, estate_id)
);

-- Dates of an estate that others are counted from.
CREATE TABLE care.estate_dates (
    estate_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    kind         text        NOT NULL,
    subject_code text        NOT NULL,
    date         date        NOT NULL,
    is_reached   boolean     NOT NULL,
    row_version  bigint      NOT NULL,
    update_time  timestamptz NOT NULL,
    CONSTRAINT estate_dates_pkey PRIMARY KEY (estate_id, kind, subject_code)
);
