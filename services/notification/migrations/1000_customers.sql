-- What this service must know of customers: where they belong and how they want to be spoken to. No names, no addresses:
-- those are asked for when a message leaves. Fed by the customer service's events.
CREATE TABLE notification.customers (
    id                 uuid        NOT NULL,
    home_estate_id     uuid        NOT NULL,
    preferred_language text        NOT NULL,
    do_not_disturb     boolean     NOT NULL,
    email_invalid      boolean     NOT NULL,
    update_time        timestamptz NOT NULL,
    CONSTRAINT customers_pkey PRIMARY KEY (id)
);

-- The estates a customer has to do with, for the scope of those who look after them.
CREATE TABLE notification.customer_estates (
    estate_id   uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT customer_estates_pkey PRIMARY KEY (customer_id, estate_id)
);

-- What customers said they want. A customer without a row has the defaults.
CREATE TABLE notification.preferences (
    customer_id uuid        NOT NULL,
    language    text        NOT NULL,
    classes     jsonb       NOT NULL,
    quiet_from  text,
    quiet_to    text,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT preferences_pkey PRIMARY KEY (customer_id),
    CONSTRAINT preferences_quiet_check CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

-- Consents are proof: only the withdrawal is ever written into a row that stands (NT-24, NT-27).
CREATE TABLE notification.consents (
    id              uuid        NOT NULL,
    customer_id     uuid        NOT NULL,
    purpose         text        NOT NULL,
    channel         text        NOT NULL,
    text_version    text        NOT NULL,
    language        text        NOT NULL,
    proof_method    text        NOT NULL,
    proof_reference text        NOT NULL,
    actor_kind      text        NOT NULL,
    actor_subject   text        NOT NULL,
    give_time       timestamptz NOT NULL,
    withdraw_time   timestamptz,
    row_version     bigint      NOT NULL,
    create_time     timestamptz NOT NULL,
    CONSTRAINT consents_pkey PRIMARY KEY (id),
    CONSTRAINT consents_purpose_check CHECK (purpose IN ('care', 'marketing', 'survey', 'profiling')),
    CONSTRAINT consents_channel_check CHECK (channel IN ('inbox', 'email', 'webhook')),
    CONSTRAINT consents_proof_method_check CHECK (proof_method IN ('app', 'paper', 'call'))
);
CREATE INDEX consents_customer_id_idx ON notification.consents (customer_id, give_time DESC, id DESC);
