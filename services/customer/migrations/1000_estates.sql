-- The property tree: estates, buildings, entrances, units (CP-12). Every row below an estate carries its id.
CREATE TABLE customer.estates (
    id            uuid        NOT NULL,
    group_id      uuid        NOT NULL,
    region_id     uuid        NOT NULL,
    name          text        NOT NULL,
    code          text        NOT NULL,
    city_code     text        NOT NULL,
    time_zone     text        NOT NULL,
    premises_type text        NOT NULL,
    -- Counted where units are written, so that no answer has to count them.
    unit_count    integer     NOT NULL DEFAULT 0,
    row_version   bigint      NOT NULL DEFAULT 1,
    create_time   timestamptz NOT NULL,
    update_time   timestamptz NOT NULL,
    CONSTRAINT estates_pkey PRIMARY KEY (id),
    CONSTRAINT estates_group_id_code_key UNIQUE (group_id, code),
    CONSTRAINT estates_premises_type_check CHECK (premises_type IN ('residential', 'commercial')),
    CONSTRAINT estates_unit_count_check CHECK (unit_count >= 0)
);
CREATE INDEX estates_name_idx ON customer.estates (name COLLATE "C", id);
CREATE INDEX estates_region_id_idx ON customer.estates (region_id);

CREATE TABLE customer.buildings (
    id          uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    code        text        NOT NULL,
    name        text        NOT NULL,
    floor_count integer     NOT NULL DEFAULT 0,
    create_time timestamptz NOT NULL,
    CONSTRAINT buildings_pkey PRIMARY KEY (id),
    CONSTRAINT buildings_estate_id_fkey FOREIGN KEY (estate_id) REFERENCES customer.estates (id),
    CONSTRAINT buildings_estate_id_code_key UNIQUE (estate_id, code)
);

CREATE TABLE customer.entrances (
    id          uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    building_id uuid        NOT NULL,
    code        text        NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT entrances_pkey PRIMARY KEY (id),
    CONSTRAINT entrances_building_id_fkey FOREIGN KEY (building_id) REFERENCES customer.buildings (id),
    CONSTRAINT entrances_building_id_code_key UNIQUE (building_id, code)
);

CREATE TABLE customer.units (
    id                 uuid             NOT NULL,
    estate_id          uuid             NOT NULL,
    building_id        uuid             NOT NULL,
    entrance_id        uuid,
    -- The household keeps its id as people come and go (CP-13).
    household_id       uuid             NOT NULL,
    code               text             NOT NULL,
    full_code          text             NOT NULL,
    floor              integer,
    premises_type      text             NOT NULL,
    area_square_metres double precision NOT NULL DEFAULT 0,
    delivery_date      date,
    occupancy          text             NOT NULL DEFAULT 'unspecified',
    row_version        bigint           NOT NULL DEFAULT 1,
    create_time        timestamptz      NOT NULL,
    update_time        timestamptz      NOT NULL,
    CONSTRAINT units_pkey PRIMARY KEY (id),
    CONSTRAINT units_household_id_key UNIQUE (household_id),
    CONSTRAINT units_building_id_fkey FOREIGN KEY (building_id) REFERENCES customer.buildings (id),
    CONSTRAINT units_entrance_id_fkey FOREIGN KEY (entrance_id) REFERENCES customer.entrances (id),
    CONSTRAINT units_premises_type_check CHECK (premises_type IN ('residential', 'commercial')),
    CONSTRAINT units_area_check CHECK (area_square_metres >= 0),
    CONSTRAINT units_occupancy_check CHECK (occupancy IN
        ('unspecified', 'undelivered', 'delivered_not_moved_in', 'renovating', 'occupied', 'leased', 'vacant'))
);
-- One name, one unit: what people say on the phone must not be ambiguous. Also the order of lists.
CREATE UNIQUE INDEX units_estate_id_full_code_key ON customer.units (estate_id, full_code COLLATE "C");
CREATE INDEX units_building_id_idx ON customer.units (building_id);
