-- Templates in versions and the rules that choose them. Versions never change but in state; at most one of a key is active.
CREATE TABLE notification.template_versions (
    id               uuid        NOT NULL,
    key              text        NOT NULL,
    version          integer     NOT NULL,
    message_class    text        NOT NULL,
    state            text        NOT NULL,
    texts            jsonb       NOT NULL,
    variables        jsonb       NOT NULL,
    author_kind      text        NOT NULL,
    author_subject   text        NOT NULL,
    approver_kind    text,
    approver_subject text,
    row_version      bigint      NOT NULL,
    create_time      timestamptz NOT NULL,
    activate_time    timestamptz,
    CONSTRAINT template_versions_pkey PRIMARY KEY (id),
    CONSTRAINT template_versions_key_version_key UNIQUE (key, version),
    CONSTRAINT template_versions_state_check CHECK (state IN ('draft', 'active', 'retired')),
    CONSTRAINT template_versions_class_check CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff'))
);
CREATE UNIQUE INDEX template_versions_active_key ON notification.template_versions (key) WHERE state = 'active';

-- Deleted rules stay, so that a shipped one that was removed does not come back with the next start.
CREATE TABLE notification.routing_rules (
    id           uuid        NOT NULL,
    code         text        NOT NULL,
    estate_id    uuid,
    event_type   text        NOT NULL,
    template_key text        NOT NULL,
    -- Conditions, recipients, variables, channels and subject.
    document     jsonb       NOT NULL,
    row_version  bigint      NOT NULL,
    create_time  timestamptz NOT NULL,
    delete_time  timestamptz,
    CONSTRAINT routing_rules_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX routing_rules_scope_code_key ON notification.routing_rules (estate_id, code) NULLS NOT DISTINCT
    WHERE delete_time IS NULL;
CREATE INDEX routing_rules_event_type_idx ON notification.routing_rules (event_type, code, id) WHERE delete_time IS NULL;

-- Who is told facts by signed calls. Secrets are sealed.
CREATE TABLE notification.webhook_endpoints (
    id                  uuid        NOT NULL,
    url                 text        NOT NULL,
    description         text        NOT NULL,
    estate_ids          uuid[]      NOT NULL,
    event_types         text[]      NOT NULL,
    secret              bytea       NOT NULL,
    secret_hint         text        NOT NULL,
    old_secret          bytea,
    old_secret_end_time timestamptz,
    last_success_time   timestamptz,
    gone_time           timestamptz,
    row_version         bigint      NOT NULL,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,
    delete_time         timestamptz,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_old_secret_check CHECK ((old_secret IS NULL) = (old_secret_end_time IS NULL))
);
CREATE INDEX webhook_endpoints_estate_ids_idx ON notification.webhook_endpoints USING gin (estate_ids) WHERE delete_time IS NULL;
