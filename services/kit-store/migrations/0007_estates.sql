-- The estates of the group as this service knows them, fed by the customer service's events.
-- The customer service itself leaves this file out: its own `estates` table has these columns among others.
CREATE TABLE {schema}.estates (
    id          uuid        NOT NULL,
    group_id    uuid        NOT NULL,
    region_id   uuid        NOT NULL,
    name        text        NOT NULL,
    time_zone   text        NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT estates_pkey PRIMARY KEY (id)
);
CREATE INDEX estates_region_id_idx ON {schema}.estates (region_id);
