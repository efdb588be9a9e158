-- Cases from report to close. One row holds all that a verb changes beside clocks and history, so that a verb is one read
-- and one write. Texts of customers and staff are sealed (`bytea`); what stands in jsonb holds ids, times and codes only.
CREATE TABLE work_order.work_orders (
    estate_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    number           text        NOT NULL,
    state            text        NOT NULL,
    unit_id          uuid,
    customer_id      uuid,
    kind             text        NOT NULL,
    -- Empty until classified, like `classified_by`.
    category         text        NOT NULL,
    urgency          text        NOT NULL,
    classified_by    text        NOT NULL,
    channel          text        NOT NULL,
    description      bytea       NOT NULL,
    location         bytea       NOT NULL,
    assignee         text,
    first_receiver   text,
    occur_time       timestamptz NOT NULL,
    receive_time     timestamptz NOT NULL,
    cycle            integer     NOT NULL,
    urge_count       integer     NOT NULL,
    promise_time     timestamptz,
    close_code       text,
    -- What else the state machine remembers: milestones, suspensions, contacts, callbacks, proofs, the bound terms.
    memory           jsonb       NOT NULL,
    -- The texts of that memory (notes, improvements, summaries), sealed as one.
    texts            bytea       NOT NULL,
    -- The end of the hash chain in `history`, so that adding to it reads nothing.
    history_position integer     NOT NULL,
    history_hash     bytea       NOT NULL,
    update_time      timestamptz NOT NULL,
    row_version      bigint      NOT NULL,
    CONSTRAINT work_orders_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT work_orders_state_check CHECK (state IN ('received', 'classified', 'assigned', 'accepted', 'contacted', 'on_site',
        'completed', 'closed', 'reopened', 'cancelled')),
    CONSTRAINT work_orders_kind_check CHECK (kind IN ('inquiry', 'repair', 'complaint', 'request', 'suggestion', 'praise')),
    CONSTRAINT work_orders_urgency_check CHECK (urgency IN ('l0', 'l1', 'l2', 'l3')),
    CONSTRAINT work_orders_channel_check CHECK (channel IN ('hotline', 'app', 'wechat', 'web', 'front_desk', 'suggestion_box',
        'visit', 'device', 'government')),
    CONSTRAINT work_orders_close_code_check CHECK (close_code IN ('resolved', 'unresolved_explained', 'out_of_scope', 'withdrawn',
        'duplicate', 'invalid', 'transferred', 'auto_closed')),
    CONSTRAINT work_orders_cycle_check CHECK (cycle > 0),
    CONSTRAINT work_orders_urge_count_check CHECK (urge_count >= 0),
    CONSTRAINT work_orders_row_version_check CHECK (row_version > 0)
);
-- A verb names an order by its id alone; not unique, because a table distributed by estate allows no such constraint.
CREATE INDEX work_orders_id_idx ON work_order.work_orders (id);
-- Lists, newest first: by state, by assignee, and a customer's own in every estate.
CREATE INDEX work_orders_state_idx ON work_order.work_orders (estate_id, state, receive_time DESC, id DESC);
CREATE INDEX work_orders_assignee_idx ON work_order.work_orders (estate_id, assignee, state, receive_time DESC, id DESC)
    WHERE assignee IS NOT NULL;
CREATE INDEX work_orders_customer_id_idx ON work_order.work_orders (customer_id, receive_time DESC, id DESC)
    WHERE customer_id IS NOT NULL;
-- Search: the end of a number as people say it, the beginning of a category.
CREATE INDEX work_orders_number_idx ON work_order.work_orders (estate_id, reverse(number) text_pattern_ops);
CREATE INDEX work_orders_category_idx ON work_order.work_orders (estate_id, category text_pattern_ops, receive_time DESC, id DESC);

-- Numbers are taken in blocks: an order costs no trip for its number. A block's rest is lost when a process ends.
CREATE TABLE work_order.number_blocks (
    year        smallint NOT NULL,
    next_number bigint   NOT NULL,
    CONSTRAINT number_blocks_pkey PRIMARY KEY (year),
    CONSTRAINT number_blocks_next_number_check CHECK (next_number > 0)
);
