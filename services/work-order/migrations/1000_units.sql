-- The units of the estates, as far as an order needs them: that they exist. Fed by the customer service's events.
CREATE TABLE work_order.units (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT units_pkey PRIMARY KEY (estate_id, id)
);
