-- Deliveries and inboxes by month, like messages: the price of a call does not grow with the age of the data. Ids hold the
-- time they were made, so that a row is found in its month by its id alone.
ALTER TABLE notification.deliveries RENAME TO deliveries_before;
ALTER INDEX notification.deliveries_pkey RENAME TO deliveries_before_pkey;
CREATE TABLE notification.deliveries (
    estate_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    message_id          uuid        NOT NULL,
    message_create_time timestamptz NOT NULL,
    channel             text        NOT NULL,
    webhook_endpoint_id uuid,
    state               text        NOT NULL,
    attempt_count       integer     NOT NULL,
    attempts_before     integer     NOT NULL,
    next_attempt_time   timestamptz,
    claim_until         timestamptz,
    attempts            jsonb       NOT NULL,
    row_version         bigint      NOT NULL,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,
    CONSTRAINT deliveries_pkey PRIMARY KEY (estate_id, id, create_time),
    CONSTRAINT deliveries_channel_check CHECK (channel IN ('inbox', 'email', 'webhook')),
    CONSTRAINT deliveries_state_check CHECK (state IN ('queued', 'sent', 'delivered', 'read', 'dead')),
    CONSTRAINT deliveries_next_attempt_time_check CHECK ((state = 'queued') = (next_attempt_time IS NOT NULL))
) PARTITION BY RANGE (create_time);
CREATE TABLE notification.deliveries_default PARTITION OF notification.deliveries DEFAULT;
INSERT INTO notification.deliveries (estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id, state,
       attempt_count, attempts_before, next_attempt_time, claim_until, attempts, row_version, create_time, update_time)
SELECT estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id, state, attempt_count, attempts_before,
       next_attempt_time, claim_until, attempts, row_version, create_time, update_time
  FROM notification.deliveries_before;
DROP TABLE notification.deliveries_before;
CREATE INDEX deliveries_id_idx ON notification.deliveries (id);
CREATE INDEX deliveries_message_id_idx ON notification.deliveries (message_id);
CREATE INDEX deliveries_estate_id_idx ON notification.deliveries (estate_id, create_time DESC, id DESC);
CREATE INDEX deliveries_dead_idx ON notification.deliveries (estate_id, create_time DESC, id DESC) WHERE state = 'dead';
CREATE INDEX deliveries_endpoint_idx ON notification.deliveries (webhook_endpoint_id, create_time DESC, id DESC)
    WHERE webhook_endpoint_id IS NOT NULL;

-- An item is written as an arrival and moved into the inboxes when it gets its position, by one writer at a time (whoever
-- holds the row of `inbox_head`). `place_time` never goes back as positions go up: months of positions are months of time,
-- and a cursor that saw a position has seen, or can see, every item up to it.
CREATE TABLE notification.inbox_arrivals (
    estate_id           uuid        NOT NULL,
    message_id          uuid        NOT NULL,
    message_create_time timestamptz NOT NULL,
    delivery_id         uuid        NOT NULL,
    customer_id         uuid,
    staff_subject       text,
    staff_role          text,
    message_class       text        NOT NULL,
    template_key        text        NOT NULL,
    title               text        NOT NULL,
    body                text        NOT NULL,
    subject_kind        text        NOT NULL,
    subject_id          uuid,
    create_time         timestamptz NOT NULL,
    CONSTRAINT inbox_arrivals_pkey PRIMARY KEY (message_id),
    CONSTRAINT inbox_arrivals_recipient_check CHECK (num_nonnulls(customer_id, staff_subject, staff_role) = 1)
);
CREATE INDEX inbox_arrivals_create_time_idx ON notification.inbox_arrivals (create_time, message_id);

ALTER TABLE notification.inbox_items RENAME TO inbox_items_before;
ALTER INDEX notification.inbox_items_pkey RENAME TO inbox_items_before_pkey;
CREATE TABLE notification.inbox_items (
    estate_id           uuid        NOT NULL,
    message_id          uuid        NOT NULL,
    message_create_time timestamptz NOT NULL,
    delivery_id         uuid        NOT NULL,
    customer_id         uuid,
    staff_subject       text,
    staff_role          text,
    message_class       text        NOT NULL,
    template_key        text        NOT NULL,
    title               text        NOT NULL,
    body                text        NOT NULL,
    subject_kind        text        NOT NULL,
    subject_id          uuid,
    create_time         timestamptz NOT NULL,
    position            bigint      NOT NULL,
    place_time          timestamptz NOT NULL,
    CONSTRAINT inbox_items_pkey PRIMARY KEY (message_id, place_time),
    CONSTRAINT inbox_items_recipient_check CHECK (num_nonnulls(customer_id, staff_subject, staff_role) = 1)
) PARTITION BY RANGE (place_time);
CREATE TABLE notification.inbox_items_default PARTITION OF notification.inbox_items DEFAULT;
INSERT INTO notification.inbox_arrivals (estate_id, message_id, message_create_time, delivery_id, customer_id, staff_subject,
       staff_role, message_class, template_key, title, body, subject_kind, subject_id, create_time)
SELECT estate_id, message_id, message_create_time, delivery_id, customer_id, staff_subject, staff_role, message_class,
       template_key, title, body, subject_kind, subject_id, create_time
  FROM notification.inbox_items_before WHERE position IS NULL;
INSERT INTO notification.inbox_items (estate_id, message_id, message_create_time, delivery_id, customer_id, staff_subject,
       staff_role, message_class, template_key, title, body, subject_kind, subject_id, create_time, position, place_time)
SELECT estate_id, message_id, message_create_time, delivery_id, customer_id, staff_subject, staff_role, message_class,
       template_key, title, body, subject_kind, subject_id, create_time, position, max(create_time) OVER (ORDER BY position)
  FROM notification.inbox_items_before WHERE position IS NOT NULL;
DROP TABLE notification.inbox_items_before;
CREATE INDEX inbox_items_customer_id_idx ON notification.inbox_items (customer_id, position DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX inbox_items_staff_subject_idx ON notification.inbox_items (staff_subject, position DESC) WHERE staff_subject IS NOT NULL;
CREATE INDEX inbox_items_staff_role_idx ON notification.inbox_items (staff_role, estate_id, position DESC) WHERE staff_role IS NOT NULL;
CREATE INDEX inbox_items_any_estate_idx ON notification.inbox_items (staff_role, position DESC) WHERE staff_role IS NOT NULL;
ALTER TABLE notification.inbox_head ADD COLUMN place_time timestamptz NOT NULL DEFAULT '-infinity';
UPDATE notification.inbox_head SET place_time = coalesce((SELECT max(place_time) FROM notification.inbox_items), '2020-01-01Z');
ALTER TABLE notification.inbox_head ALTER COLUMN place_time DROP DEFAULT;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        REVOKE ALL ON notification.deliveries, notification.deliveries_default, notification.inbox_arrivals,
            notification.inbox_items, notification.inbox_items_default FROM notification_app;
        GRANT SELECT, INSERT, UPDATE ON notification.deliveries, notification.inbox_items TO notification_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON notification.inbox_arrivals TO notification_app;
    END IF;
END $$;
