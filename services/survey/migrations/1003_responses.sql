-- Answers. Months are partitions. A row of an anonymous wave has no household, customer, invitation or time of day.
CREATE TABLE survey.responses (
    estate_id     uuid             NOT NULL,
    id            uuid             NOT NULL,
    wave_id       uuid             NOT NULL,
    invitation_id uuid,
    household_id  uuid,
    customer_id   uuid,
    mode          text             NOT NULL,
    verdict       text             NOT NULL,
    stratum       text        NOT NULL,
    -- In millionths.
    design_weight bigint           NOT NULL,
    revision      integer          NOT NULL,
    -- Answers without their texts, findings, the enterer, the second entry.
    body          jsonb            NOT NULL,
    -- Free text, sealed.
    texts         bytea            NOT NULL,
    -- Keyed hash of the device, for the rule on bursts; null when not known or anonymous.
    device_mark   bytea,
    occur_time    timestamptz      NOT NULL,
    receive_time  timestamptz      NOT NULL,
    row_version   bigint           NOT NULL,
    CONSTRAINT responses_pkey PRIMARY KEY (estate_id, id, receive_time),
    CONSTRAINT responses_mode_check CHECK (mode IN ('online', 'paper', 'interview', 'focus_group', 'phone', 'visit')),
    CONSTRAINT responses_verdict_check CHECK (verdict IN ('valid', 'invalid', 'held', 'over_quota', 'pending_entry')),
    CONSTRAINT responses_revision_check CHECK (revision > 0),
    CONSTRAINT responses_row_version_check CHECK (row_version > 0)
) PARTITION BY RANGE (receive_time);
CREATE TABLE survey.responses_default PARTITION OF survey.responses DEFAULT;
CREATE INDEX responses_wave_id_idx ON survey.responses (estate_id, wave_id, receive_time DESC, id DESC);
CREATE INDEX responses_device_mark_idx ON survey.responses (wave_id, device_mark, receive_time) WHERE device_mark IS NOT NULL;

-- One id, one response; one paper, one response. Outside the partitions, because it is unique over all of them.
CREATE TABLE survey.response_keys (
    id           uuid        NOT NULL,
    estate_id    uuid        NOT NULL,
    wave_id      uuid        NOT NULL,
    source_ref   text,
    receive_time timestamptz NOT NULL,
    CONSTRAINT response_keys_pkey PRIMARY KEY (id),
    CONSTRAINT response_keys_source_ref_key UNIQUE (wave_id, source_ref)
);

-- Whose answer counts: one per household and wave (SV-39). Of an anonymous wave: that the household took part, and nothing
-- else (SV-40); `response_id` is null there.
CREATE TABLE survey.participants (
    estate_id    uuid NOT NULL,
    wave_id      uuid NOT NULL,
    household_id uuid NOT NULL,
    response_id  uuid,
    CONSTRAINT participants_pkey PRIMARY KEY (estate_id, wave_id, household_id)
);

-- Tokens of anonymous waves that were answered for. Nothing here or elsewhere says whose they were.
CREATE TABLE survey.spent_tokens (
    estate_id   uuid  NOT NULL,
    wave_id     uuid  NOT NULL,
    token_mark  bytea NOT NULL,
    response_id uuid  NOT NULL,
    answers_hash bytea NOT NULL,
    CONSTRAINT spent_tokens_pkey PRIMARY KEY (estate_id, wave_id, token_mark)
);

-- What a response said, revision by revision; append-only. Months are partitions.
CREATE TABLE survey.response_revisions (
    estate_id   uuid        NOT NULL,
    response_id uuid        NOT NULL,
    revision    integer     NOT NULL,
    verdict     text        NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    author      text        NOT NULL,
    record_time timestamptz NOT NULL,
    CONSTRAINT response_revisions_pkey PRIMARY KEY (estate_id, response_id, revision, record_time)
) PARTITION BY RANGE (record_time);
CREATE TABLE survey.response_revisions_default PARTITION OF survey.response_revisions DEFAULT;
