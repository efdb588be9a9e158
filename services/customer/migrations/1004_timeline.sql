-- What happened with a customer or a unit, from the events of every service (CP-37).
CREATE TABLE customer.timeline_entries (
    -- The event's id: an event that comes twice is one entry.
    id          uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    customer_id uuid,
    unit_id     uuid,
    kind        text        NOT NULL,
    subject_id  uuid        NOT NULL,
    occur_time  timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    title_code  text        NOT NULL,
    parameters  jsonb       NOT NULL,
    CONSTRAINT timeline_entries_pkey PRIMARY KEY (id, occur_time),
    CONSTRAINT timeline_entries_kind_check CHECK (kind IN ('customer', 'tenure', 'work_order', 'message', 'consent')),
    CONSTRAINT timeline_entries_key_check CHECK (customer_id IS NOT NULL OR unit_id IS NOT NULL)
) PARTITION BY RANGE (occur_time);
CREATE TABLE customer.timeline_entries_default PARTITION OF customer.timeline_entries DEFAULT;
CREATE INDEX timeline_entries_customer_id_idx ON customer.timeline_entries (customer_id, occur_time DESC, id DESC);
CREATE INDEX timeline_entries_unit_id_idx ON customer.timeline_entries (unit_id, occur_time DESC, id DESC);
