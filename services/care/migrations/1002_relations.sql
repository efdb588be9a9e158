-- Talks with households, by month. Never changed.
CREATE TABLE care.contacts (
    estate_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    household_id  uuid        NOT NULL,
    customer_id   uuid,
    actor_subject text        NOT NULL,
    way           text        NOT NULL,
    purpose       text        NOT NULL,
    is_two_way    boolean     NOT NULL,
    topics        text[]      NOT NULL,
    contact_time  timestamptz NOT NULL,
    create_time   timestamptz NOT NULL,
    CONSTRAINT contacts_pkey PRIMARY KEY (estate_id, id, contact_time),
    CONSTRAINT contacts_way_check CHECK (way IN ('phone', 'visit', 'app', 'chat', 'sms', 'face_to_face'))
) PARTITION BY RANGE (contact_time);
CREATE TABLE care.contacts_default PARTITION OF care.contacts DEFAULT;
CREATE INDEX contacts_estate_id_idx ON care.contacts (estate_id, contact_time DESC, id DESC);
CREATE INDEX contacts_household_id_idx ON care.contacts (household_id, contact_time DESC, id DESC);
CREATE INDEX contacts_two_way_idx ON care.contacts (estate_id, purpose, contact_time) INCLUDE (household_id, actor_subject) WHERE is_two_way;

-- Who holds which position in an estate, for the quotas of talks.
CREATE TABLE care.officers (
    estate_id   uuid        NOT NULL,
    subject     text        NOT NULL,
    position    text        NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT officers_pkey PRIMARY KEY (estate_id, subject)
);

-- Days of a household that care is told: subscription and signing.
CREATE TABLE care.household_dates (
    estate_id    uuid        NOT NULL,
    household_id uuid        NOT NULL,
    kind         text        NOT NULL,
    date         date        NOT NULL,
    update_time  timestamptz NOT NULL,
    CONSTRAINT household_dates_pkey PRIMARY KEY (estate_id, household_id, kind),
    CONSTRAINT household_dates_kind_check CHECK (kind IN ('subscription', 'signing'))
);

-- The units of a batch.
CREATE TABLE care.batch_units (
    estate_id       uuid        NOT NULL,
    batch_id        uuid        NOT NULL,
    unit_id         uuid        NOT NULL,
    notice_time     timestamptz,
    tracking_number text        NOT NULL,
    defect_count    integer     NOT NULL,
    slot_time       timestamptz,
    handover_date   date,
    is_first_visit  boolean     NOT NULL,
    delivered_items text[]      NOT NULL,
    CONSTRAINT batch_units_pkey PRIMARY KEY (estate_id, batch_id, unit_id)
);

-- Slots of a handover day; a row is there once somebody has booked it.
CREATE TABLE care.handover_slots (
    estate_id    uuid        NOT NULL,
    batch_id     uuid        NOT NULL,
    slot_time    timestamptz NOT NULL,
    booked_count integer     NOT NULL,
    CONSTRAINT handover_slots_pkey PRIMARY KEY (estate_id, batch_id, slot_time)
);
