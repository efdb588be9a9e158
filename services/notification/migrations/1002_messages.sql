-- Messages, each with the steps that led to where it stands. Months are partitions. Texts hold no personal data (NT-42).
CREATE TABLE notification.messages (
    estate_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    recipient_kind      text        NOT NULL,
    customer_id         uuid,
    staff_subject       text,
    staff_role          text,
    webhook_endpoint_id uuid,
    message_class       text        NOT NULL,
    template_key        text        NOT NULL,
    template_version    integer     NOT NULL,
    language            text        NOT NULL,
    state               text        NOT NULL,
    suppress_reason     text,
    defer_until_time    timestamptz,
    subject_kind        text        NOT NULL,
    subject_id          uuid,
    event_id            uuid,
    routing_rule_id     uuid,
    -- Texts by channel, channels wanted and those still to be tried.
    content             jsonb       NOT NULL,
    steps               jsonb       NOT NULL,
    row_version         bigint      NOT NULL,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (estate_id, id, create_time),
    CONSTRAINT messages_recipient_check CHECK (
        CASE recipient_kind
            WHEN 'customer' THEN customer_id IS NOT NULL
            WHEN 'staff' THEN staff_subject IS NOT NULL
            WHEN 'role' THEN staff_role IS NOT NULL
            WHEN 'webhook' THEN webhook_endpoint_id IS NOT NULL
            ELSE false
        END),
    CONSTRAINT messages_class_check CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff')),
    CONSTRAINT messages_state_check CHECK (state IN ('queued', 'deferred', 'sent', 'delivered', 'read', 'failed', 'suppressed')),
    CONSTRAINT messages_suppress_reason_check CHECK ((state = 'suppressed') = (suppress_reason IS NOT NULL)),
    CONSTRAINT messages_defer_until_time_check CHECK ((state = 'deferred') = (defer_until_time IS NOT NULL))
) PARTITION BY RANGE (create_time);
CREATE TABLE notification.messages_default PARTITION OF notification.messages DEFAULT;
-- A message is named by its id alone in the API.
CREATE INDEX messages_id_idx ON notification.messages (id);
CREATE INDEX messages_estate_id_idx ON notification.messages (estate_id, create_time DESC, id DESC);
CREATE INDEX messages_customer_id_idx ON notification.messages (customer_id, create_time DESC, id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX messages_subject_id_idx ON notification.messages (subject_id, create_time DESC, id DESC) WHERE subject_id IS NOT NULL;

-- Same event, recipient and template once (NT-40). Outside the partitions, because it is unique over all of them.
CREATE TABLE notification.message_keys (
    key                 bytea       NOT NULL,
    message_id          uuid        NOT NULL,
    create_time         timestamptz NOT NULL,
    CONSTRAINT message_keys_pkey PRIMARY KEY (key)
);
CREATE INDEX message_keys_create_time_idx ON notification.message_keys (create_time);

-- A message on its way by one channel. `claim_until` keeps two workers from one attempt.
CREATE TABLE notification.deliveries (
    estate_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    message_id          uuid        NOT NULL,
    message_create_time timestamptz NOT NULL,
    channel             text        NOT NULL,
    webhook_endpoint_id uuid,
    state               text        NOT NULL,
    attempt_count       integer     NOT NULL,
    -- Attempts of earlier rounds; a redrive begins a new one.
    attempts_before     integer     NOT NULL,
    next_attempt_time   timestamptz,
    claim_until         timestamptz,
    attempts            jsonb       NOT NULL,
    row_version         bigint      NOT NULL,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,
    CONSTRAINT deliveries_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT deliveries_channel_check CHECK (channel IN ('inbox', 'email', 'webhook')),
    CONSTRAINT deliveries_state_check CHECK (state IN ('queued', 'sent', 'delivered', 'read', 'dead')),
    CONSTRAINT deliveries_next_attempt_time_check CHECK ((state = 'queued') = (next_attempt_time IS NOT NULL))
);
CREATE INDEX deliveries_id_idx ON notification.deliveries (id);
CREATE INDEX deliveries_message_id_idx ON notification.deliveries (message_id);
CREATE INDEX deliveries_estate_id_idx ON notification.deliveries (estate_id, create_time DESC, id DESC);
CREATE INDEX deliveries_dead_idx ON notification.deliveries (estate_id, create_time DESC, id DESC) WHERE state = 'dead';
CREATE INDEX deliveries_endpoint_idx ON notification.deliveries (webhook_endpoint_id, create_time DESC, id DESC)
    WHERE webhook_endpoint_id IS NOT NULL;
