-- What verbs change is a document with the few columns that lists, guards and clocks need: where it stands, its place in lists
-- (`sort_time`), the moment that counts of it (`mark_time`: confirmed, finished, done; of what is left out, the next look), and a key
-- that may be there once in an estate. One shape for every kind, so that one piece of SQL serves all of them.
CREATE TABLE care.touchpoints (
    estate_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    state           text        NOT NULL,
    sort_time       timestamptz NOT NULL,
    mark_time       timestamptz,
    unique_key      text,
    document        jsonb       NOT NULL,
    row_version     bigint      NOT NULL,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    household_id    uuid GENERATED ALWAYS AS ((document ->> 'household_id')::uuid) STORED,
    programme_id    uuid GENERATED ALWAYS AS ((document ->> 'programme_id')::uuid) STORED,
    definition_code text GENERATED ALWAYS AS (document ->> 'definition_code') STORED,
    layer           text GENERATED ALWAYS AS (document ->> 'layer') STORED,
    -- The id is made of programme version, household, definition and occurrence: the key is what makes each of them one.
    CONSTRAINT touchpoints_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT touchpoints_state_check CHECK (state IN ('planned', 'due', 'excluded', 'acted', 'confirmed', 'overdue', 'cancelled',
        'skipped', 'suppressed', 'held_out'))
);
CREATE INDEX touchpoints_id_idx ON care.touchpoints (id);
CREATE INDEX touchpoints_estate_id_idx ON care.touchpoints (estate_id, sort_time DESC, id DESC);
CREATE INDEX touchpoints_household_id_idx ON care.touchpoints (household_id, sort_time DESC, id DESC);
CREATE INDEX touchpoints_programme_id_idx ON care.touchpoints (estate_id, programme_id, sort_time DESC, id DESC);
-- What waits: as large as the work ahead, whatever the age of the table.
CREATE INDEX touchpoints_planned_idx ON care.touchpoints (sort_time, id) WHERE state = 'planned';
CREATE INDEX touchpoints_excluded_idx ON care.touchpoints (mark_time, id) WHERE state = 'excluded';
CREATE INDEX touchpoints_layer_idx ON care.touchpoints (estate_id, layer, mark_time) WHERE state = 'confirmed';
CREATE INDEX touchpoints_ended_idx ON care.touchpoints (update_time, id)
    WHERE state IN ('confirmed', 'cancelled', 'skipped', 'suppressed', 'held_out');

CREATE TABLE care.visit_rounds (
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
    CONSTRAINT visit_rounds_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT visit_rounds_state_check CHECK (state IN ('preparing', 'active', 'ended', 'reported', 'archived'))
);
CREATE INDEX visit_rounds_id_idx ON care.visit_rounds (id);
CREATE INDEX visit_rounds_estate_id_idx ON care.visit_rounds (estate_id, sort_time DESC, id DESC);

CREATE TABLE care.visits (
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
    round_id     uuid GENERATED ALWAYS AS ((document ->> 'round_id')::uuid) STORED,
    household_id uuid GENERATED ALWAYS AS ((document ->> 'household_id')::uuid) STORED,
    lead_visitor text GENERATED ALWAYS AS (document -> 'visitors' ->> 0) STORED,
    CONSTRAINT visits_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT visits_state_check CHECK (state IN ('open', 'scheduled', 'under_way', 'done', 'closed', 'excluded', 'cancelled'))
);
CREATE INDEX visits_id_idx ON care.visits (id);
CREATE INDEX visits_round_id_idx ON care.visits (estate_id, round_id, sort_time, id);
CREATE INDEX visits_lead_visitor_idx ON care.visits (estate_id, lead_visitor, sort_time, id) WHERE lead_visitor IS NOT NULL;
CREATE INDEX visits_mark_time_idx ON care.visits (estate_id, mark_time) WHERE state IN ('done', 'closed');

-- A visitor's quarters of an hour: whoever takes one that is taken is refused by the key, however many ask at once (CA-36).
CREATE TABLE care.visit_slots (
    visitor   text        NOT NULL,
    slot_time timestamptz NOT NULL,
    estate_id uuid        NOT NULL,
    visit_id  uuid        NOT NULL,
    CONSTRAINT visit_slots_pkey PRIMARY KEY (visitor, slot_time)
);
CREATE INDEX visit_slots_visit_id_idx ON care.visit_slots (visit_id);

CREATE TABLE care.obligations (
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
    anchor      text GENERATED ALWAYS AS ((document ->> 'anchor_kind') || '/' || (document ->> 'subject_code')) STORED,
    CONSTRAINT obligations_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT obligations_state_check CHECK (state IN ('open', 'overdue', 'done', 'cancelled'))
);
CREATE INDEX obligations_id_idx ON care.obligations (id);
CREATE INDEX obligations_estate_id_idx ON care.obligations (estate_id, sort_time DESC, id DESC);
CREATE INDEX obligations_anchor_idx ON care.obligations (estate_id, anchor);

CREATE TABLE care.forums (
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
    CONSTRAINT forums_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT forums_state_check CHECK (state IN ('planned', 'held', 'overdue', 'closed'))
);
CREATE INDEX forums_id_idx ON care.forums (id);
CREATE INDEX forums_estate_id_idx ON care.forums (estate_id, sort_time DESC, id DESC);

CREATE TABLE care.delivery_batches (
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
    CONSTRAINT delivery_batches_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT delivery_batches_key UNIQUE (estate_id, unique_key)
);
CREATE INDEX delivery_batches_id_idx ON care.delivery_batches (id);
CREATE INDEX delivery_batches_estate_id_idx ON care.delivery_batches (estate_id, sort_time DESC, id DESC);

CREATE TABLE care.annual_plans (
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
    CONSTRAINT annual_plans_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT annual_plans_key UNIQUE (estate_id, unique_key),
    CONSTRAINT annual_plans_state_check CHECK (state IN ('draft', 'approved'))
);
CREATE INDEX annual_plans_id_idx ON care.annual_plans (id);
CREATE INDEX annual_plans_estate_id_idx ON care.annual_plans (estate_id, sort_time DESC, id DESC);
-- An item of an approved plan is named by its id alone.
CREATE INDEX annual_plans_items_idx ON care.annual_plans USING gin (document jsonb_path_ops);

CREATE TABLE care.plans_315 (
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
    CONSTRAINT plans_315_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT plans_315_state_check CHECK (state IN ('running', 'over'))
);
CREATE INDEX plans_315_estate_id_idx ON care.plans_315 (estate_id, sort_time DESC, id DESC);
