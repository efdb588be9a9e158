-- What is decided about one thing at a time: programmes, waves, frame jobs, sessions, feedback, plans, reports. Each is a row
-- with the columns that are searched by; what else the rules remember is `body`, and what people wrote is sealed in `texts`.
CREATE TABLE survey.programmes (
    -- Null for every estate of the group.
    estate_id   uuid,
    id          uuid        NOT NULL,
    code        text        NOT NULL,
    body        jsonb       NOT NULL,
    questionnaire_id uuid   NOT NULL,
    row_version bigint      NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT programmes_pkey PRIMARY KEY (id),
    CONSTRAINT programmes_code_key UNIQUE (code),
    CONSTRAINT programmes_questionnaire_id_fkey FOREIGN KEY (questionnaire_id) REFERENCES survey.questionnaires (id),
    CONSTRAINT programmes_row_version_check CHECK (row_version > 0)
);
CREATE INDEX programmes_questionnaire_id_idx ON survey.programmes (questionnaire_id);

CREATE TABLE survey.waves (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    parent_id   uuid        NOT NULL,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT waves_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT waves_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES survey.programmes (id),
    CONSTRAINT waves_state_check CHECK (state IN ('draft', 'framed', 'launched', 'closed', 'archived', 'cancelled')),
    CONSTRAINT waves_row_version_check CHECK (row_version > 0)
);
CREATE INDEX waves_id_idx ON survey.waves (id);
CREATE INDEX waves_sort_time_idx ON survey.waves (estate_id, sort_time DESC, id DESC);

CREATE TABLE survey.frame_jobs (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    parent_id   uuid        NOT NULL,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT frame_jobs_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT frame_jobs_state_check CHECK (state IN ('running', 'paused', 'done', 'failed', 'cancelled')),
    CONSTRAINT frame_jobs_row_version_check CHECK (row_version > 0)
);
CREATE INDEX frame_jobs_id_idx ON survey.frame_jobs (id);
CREATE INDEX frame_jobs_sort_time_idx ON survey.frame_jobs (estate_id, sort_time DESC, id DESC);
CREATE INDEX frame_jobs_running_idx ON survey.frame_jobs (sort_time, id) WHERE state = 'running';

CREATE TABLE survey.sessions (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    -- Its wave.
    parent_id   uuid,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT sessions_state_check CHECK (state IN ('planned', 'held', 'cancelled')),
    CONSTRAINT sessions_row_version_check CHECK (row_version > 0)
);
CREATE INDEX sessions_id_idx ON survey.sessions (id);
CREATE INDEX sessions_sort_time_idx ON survey.sessions (estate_id, sort_time DESC, id DESC);
CREATE INDEX sessions_parent_id_idx ON survey.sessions (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE survey.feedback_items (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    parent_id   uuid,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT feedback_items_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT feedback_items_state_check CHECK (state IN ('new', 'assessed', 'adopted', 'declined', 'done')),
    CONSTRAINT feedback_items_row_version_check CHECK (row_version > 0)
);
CREATE INDEX feedback_items_id_idx ON survey.feedback_items (id);
CREATE INDEX feedback_items_sort_time_idx ON survey.feedback_items (estate_id, sort_time DESC, id DESC);
CREATE INDEX feedback_items_customer_id_idx ON survey.feedback_items (customer_id, sort_time DESC, id DESC) WHERE customer_id IS NOT NULL;

CREATE TABLE survey.improvement_plans (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    parent_id   uuid,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT improvement_plans_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT improvement_plans_state_check CHECK (state IN ('draft', 'submitted', 'implemented', 'follow_up_due', 'verified', 'cancelled')),
    CONSTRAINT improvement_plans_row_version_check CHECK (row_version > 0)
);
CREATE INDEX improvement_plans_id_idx ON survey.improvement_plans (id);
CREATE INDEX improvement_plans_sort_time_idx ON survey.improvement_plans (estate_id, sort_time DESC, id DESC);

-- Which plans rest on which waves (SV-03).
CREATE TABLE survey.plan_waves (
    estate_id           uuid NOT NULL,
    wave_id             uuid NOT NULL,
    improvement_plan_id uuid NOT NULL,
    CONSTRAINT plan_waves_pkey PRIMARY KEY (estate_id, wave_id, improvement_plan_id)
);

CREATE TABLE survey.reports (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    parent_id   uuid,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT reports_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT reports_state_check CHECK (state IN ('draft', 'submitted')),
    CONSTRAINT reports_row_version_check CHECK (row_version > 0)
);
CREATE INDEX reports_id_idx ON survey.reports (id);
CREATE INDEX reports_sort_time_idx ON survey.reports (estate_id, sort_time DESC, id DESC);

-- Numbers of feedback items, taken in blocks: an item costs no trip for its number.
CREATE TABLE survey.number_blocks (
    year        smallint NOT NULL,
    next_number bigint   NOT NULL,
    CONSTRAINT number_blocks_pkey PRIMARY KEY (year),
    CONSTRAINT number_blocks_next_number_check CHECK (next_number > 0)
);
