-- Inboxes. An item is addressed to a customer, to an employee, or to a role in its estate.
--
-- `position` orders the items of the whole service. It is given after the item was committed, by one writer at a time
-- (whoever holds the row of `inbox_head`), so a reader that saw position 7 has seen, or can see, every item up to 7:
-- a cursor never passes an item that is still being written. Items without a position are not shown yet.
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
    position            bigint,
    CONSTRAINT inbox_items_pkey PRIMARY KEY (message_id),
    CONSTRAINT inbox_items_recipient_check CHECK (num_nonnulls(customer_id, staff_subject, staff_role) = 1)
);
CREATE INDEX inbox_items_waiting_idx ON notification.inbox_items (create_time, message_id) WHERE position IS NULL;
CREATE INDEX inbox_items_customer_id_idx ON notification.inbox_items (customer_id, position DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX inbox_items_staff_subject_idx ON notification.inbox_items (staff_subject, position DESC) WHERE staff_subject IS NOT NULL;
CREATE INDEX inbox_items_staff_role_idx ON notification.inbox_items (staff_role, estate_id, position DESC) WHERE staff_role IS NOT NULL;
CREATE INDEX inbox_items_any_estate_idx ON notification.inbox_items (staff_role, position DESC) WHERE staff_role IS NOT NULL;

CREATE TABLE notification.inbox_head (
    singleton boolean NOT NULL DEFAULT true,
    position  bigint  NOT NULL,
    CONSTRAINT inbox_head_pkey PRIMARY KEY (singleton),
    CONSTRAINT inbox_head_singleton_check CHECK (singleton)
);
INSERT INTO notification.inbox_head (position) VALUES (0);

-- Who read what; an item to a role is read by each of its holders.
CREATE TABLE notification.inbox_reads (
    message_id uuid        NOT NULL,
    subject    text        NOT NULL,
    read_time  timestamptz NOT NULL,
    CONSTRAINT inbox_reads_pkey PRIMARY KEY (message_id, subject)
);
