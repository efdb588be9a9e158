-- Broadcasts: the same thing said to an audience, page by page. `broadcasts` is steered by its `row_version`, which every change of
-- state raises; a page is written only by who saw the last one: `page_count`. `broadcast_estates` holds where each estate stands
-- and what became of the households listed; what became of those told is counted from their messages.
CREATE TABLE notification.broadcasts (
    id                  uuid        NOT NULL,
    title               text        NOT NULL,
    estate_ids          uuid[]      NOT NULL,
    message_class       text        NOT NULL,
    template_version_id uuid        NOT NULL,
    template_key        text        NOT NULL,
    template_version    integer     NOT NULL,
    -- Audience, exclusions, variables, channels, choice by traits, reason of an emergency.
    document            jsonb       NOT NULL,
    subject_kind        text        NOT NULL,
    subject_id          uuid,
    start_time          timestamptz NOT NULL,
    due_time            timestamptz,
    state               text        NOT NULL,
    is_late             boolean     NOT NULL,
    begin_time          timestamptz,
    end_time            timestamptz,
    -- Who did what to it, when and why.
    changes             jsonb       NOT NULL,
    estate_done_count   integer     NOT NULL,
    household_count     integer     NOT NULL,
    message_count       integer     NOT NULL,
    page_count          integer     NOT NULL,
    row_version         bigint      NOT NULL,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,
    CONSTRAINT broadcasts_pkey PRIMARY KEY (id),
    CONSTRAINT broadcasts_class_check CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff', 'survey')),
    CONSTRAINT broadcasts_state_check CHECK (state IN ('scheduled', 'running', 'paused', 'stopped', 'done')),
    CONSTRAINT broadcasts_end_time_check CHECK ((state IN ('stopped', 'done')) = (end_time IS NOT NULL))
);
CREATE INDEX broadcasts_create_time_idx ON notification.broadcasts (create_time DESC, id DESC);
CREATE INDEX broadcasts_estate_ids_idx ON notification.broadcasts USING gin (estate_ids);

CREATE TABLE notification.broadcast_estates (
    broadcast_id          uuid    NOT NULL,
    estate_id             uuid    NOT NULL,
    -- Its place in the order of the broadcast.
    position              integer NOT NULL,
    -- Where the next page of its households begins; empty for the first.
    page_token            text    NOT NULL,
    is_done               boolean NOT NULL,
    household_count       integer NOT NULL,
    message_count         integer NOT NULL,
    without_contact_count integer NOT NULL,
    told_already_count    integer NOT NULL,
    -- Households left out, by the code of the exclusion.
    excluded_counts       jsonb   NOT NULL,
    CONSTRAINT broadcast_estates_pkey PRIMARY KEY (broadcast_id, estate_id),
    CONSTRAINT broadcast_estates_position_key UNIQUE (broadcast_id, position),
    CONSTRAINT broadcast_estates_sum_check CHECK (household_count >= message_count + without_contact_count + told_already_count)
);

-- Whom a broadcast told: its list, and its report.
ALTER TABLE notification.messages ADD COLUMN broadcast_id uuid;
CREATE INDEX messages_broadcast_id_idx ON notification.messages (broadcast_id, create_time DESC, id DESC) WHERE broadcast_id IS NOT NULL;

-- Deliveries of broadcasts go by a lane of their own, and no further page is made while many of them wait (NT-41).
ALTER TABLE notification.deliveries ADD COLUMN is_bulk boolean NOT NULL DEFAULT false;
CREATE INDEX deliveries_bulk_idx ON notification.deliveries (next_attempt_time) WHERE is_bulk AND state = 'queued';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        REVOKE ALL ON notification.broadcasts, notification.broadcast_estates FROM notification_app;
        GRANT SELECT, INSERT, UPDATE ON notification.broadcasts, notification.broadcast_estates TO notification_app;
    END IF;
END $$;
