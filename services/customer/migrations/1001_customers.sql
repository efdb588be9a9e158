-- Customers, and what they are to units. Personal data stand sealed under a key of the person's own; destroying
-- `data_key` erases the person and keeps the row for the statistics (CP-51).
CREATE SEQUENCE customer.customer_numbers AS bigint;

CREATE TABLE customer.customers (
    id                 uuid        NOT NULL,
    number             bigint      NOT NULL,
    group_id           uuid        NOT NULL,
    home_estate_id     uuid        NOT NULL,
    kind               text        NOT NULL,
    data_key           bytea,
    name               bytea,
    phone              bytea,
    email              bytea,
    id_number          bytea,
    address            bytea,
    -- Keyed hashes: found without decrypting anything.
    name_index         bytea,
    phone_index        bytea,
    id_number_index    bytea,
    preferred_language text        NOT NULL,
    phone_state        text        NOT NULL DEFAULT 'unknown',
    email_state        text        NOT NULL DEFAULT 'unknown',
    do_not_disturb     boolean     NOT NULL DEFAULT false,
    contact_mode       text        NOT NULL DEFAULT 'unspecified',
    source             text        NOT NULL DEFAULT 'unspecified',
    recorded_by        text        NOT NULL,
    row_version        bigint      NOT NULL DEFAULT 1,
    create_time        timestamptz NOT NULL,
    update_time        timestamptz NOT NULL,
    CONSTRAINT customers_pkey PRIMARY KEY (id),
    CONSTRAINT customers_number_key UNIQUE (number),
    CONSTRAINT customers_home_estate_id_fkey FOREIGN KEY (home_estate_id) REFERENCES customer.estates (id),
    CONSTRAINT customers_kind_check CHECK (kind IN ('person', 'organisation')),
    CONSTRAINT customers_language_check CHECK (preferred_language IN ('zh-CN', 'en')),
    CONSTRAINT customers_phone_state_check CHECK (phone_state IN ('unknown', 'valid', 'invalid')),
    CONSTRAINT customers_email_state_check CHECK (email_state IN ('unknown', 'valid', 'invalid')),
    CONSTRAINT customers_contact_mode_check CHECK (contact_mode IN ('unspecified', 'online', 'offline')),
    CONSTRAINT customers_source_check CHECK (source IN ('unspecified', 'staff', 'import', 'app', 'hotline', 'home_visit')),
    CONSTRAINT customers_sealed_check CHECK (data_key IS NOT NULL OR (name IS NULL AND phone IS NULL AND email IS NULL
        AND id_number IS NULL AND address IS NULL))
);
CREATE INDEX customers_home_estate_id_idx ON customer.customers (home_estate_id, id);
CREATE INDEX customers_phone_index_idx ON customer.customers (phone_index);
CREATE INDEX customers_name_index_idx ON customer.customers (group_id, name_index) WHERE kind = 'organisation';
CREATE UNIQUE INDEX customers_group_id_id_number_key ON customer.customers (group_id, id_number_index);

CREATE TABLE customer.tenures (
    id          uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    unit_id     uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    role        text        NOT NULL,
    from_date   date        NOT NULL,
    -- The last day on which it holds; open while null.
    to_date     date,
    source      text        NOT NULL,
    row_version bigint      NOT NULL DEFAULT 1,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT tenures_pkey PRIMARY KEY (id),
    CONSTRAINT tenures_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES customer.units (id),
    CONSTRAINT tenures_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer.customers (id),
    CONSTRAINT tenures_role_check CHECK (role IN
        ('owner', 'co_owner', 'family_member', 'tenant', 'occupant', 'agent', 'company_contact')),
    CONSTRAINT tenures_source_check CHECK (source IN ('staff', 'import', 'app')),
    CONSTRAINT tenures_dates_check CHECK (to_date >= from_date)
);
CREATE INDEX tenures_unit_id_idx ON customer.tenures (unit_id, from_date DESC, id DESC);
CREATE INDEX tenures_customer_id_idx ON customer.tenures (customer_id, estate_id);
CREATE INDEX tenures_estate_id_idx ON customer.tenures (estate_id, customer_id);

-- What an exclusion constraint would say, without an extension: a tenure does not overlap itself, and a unit has one
-- sole owner on a day. The unit's row is the lock, so that two writers cannot both find nothing.
CREATE FUNCTION customer.check_tenure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM customer.units u WHERE u.id = NEW.unit_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM customer.tenures t
                WHERE t.unit_id = NEW.unit_id AND t.customer_id = NEW.customer_id AND t.role = NEW.role AND t.id <> NEW.id
                  AND daterange(t.from_date, t.to_date, '[]') && daterange(NEW.from_date, NEW.to_date, '[]')) THEN
        RAISE EXCEPTION 'the customer has this role in the unit on one of the days'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'tenures_overlap_excl';
    END IF;
    IF NEW.role = 'owner' AND EXISTS (
               SELECT FROM customer.tenures t
                WHERE t.unit_id = NEW.unit_id AND t.role = 'owner' AND t.customer_id <> NEW.customer_id
                  AND daterange(t.from_date, t.to_date, '[]') && daterange(NEW.from_date, NEW.to_date, '[]')) THEN
        RAISE EXCEPTION 'the unit has another sole owner on one of the days'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'tenures_sole_owner_excl';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenures_check BEFORE INSERT OR UPDATE OF from_date, to_date, role ON customer.tenures
    FOR EACH ROW EXECUTE FUNCTION customer.check_tenure();

-- Whether a tenure holds on the local day of an instant.
CREATE FUNCTION customer.holds(from_date date, to_date date, time_zone text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT (at AT TIME ZONE time_zone)::date BETWEEN from_date AND coalesce(to_date, 'infinity'::date)
$$;

-- The customers a scope may see, in one place. Staff: at home in one of their estates, or with a tenure there at any
-- time. A customer: themselves, and as an owner the people of the unit today; a tenant sees nobody else (CP-15).
CREATE FUNCTION customer.visible_customers(estates uuid[], own uuid, at timestamptz) RETURNS SETOF customer.customers
LANGUAGE sql STABLE AS $$
    SELECT c.* FROM customer.customers c
     WHERE (estates IS NULL OR c.home_estate_id = ANY (estates)
            OR EXISTS (SELECT FROM customer.tenures t WHERE t.customer_id = c.id AND t.estate_id = ANY (estates)))
       AND (own IS NULL OR c.id = own
            OR EXISTS (SELECT FROM customer.tenures mine
                         JOIN customer.tenures theirs ON theirs.unit_id = mine.unit_id
                         JOIN customer.estates e ON e.id = mine.estate_id
                        WHERE mine.customer_id = own AND mine.role IN ('owner', 'co_owner') AND theirs.customer_id = c.id
                          AND customer.holds(mine.from_date, mine.to_date, e.time_zone, at)
                          AND customer.holds(theirs.from_date, theirs.to_date, e.time_zone, at)))
$$;

-- The units a scope may see. A customer: those where they have a tenure today (CP-14).
CREATE FUNCTION customer.visible_units(estates uuid[], own uuid, at timestamptz) RETURNS SETOF customer.units
LANGUAGE sql STABLE AS $$
    SELECT u.* FROM customer.units u
     WHERE (estates IS NULL OR u.estate_id = ANY (estates))
       AND (own IS NULL
            OR EXISTS (SELECT FROM customer.tenures t JOIN customer.estates e ON e.id = t.estate_id
                        WHERE t.unit_id = u.id AND t.customer_id = own
                          AND customer.holds(t.from_date, t.to_date, e.time_zone, at)))
$$;

-- The tenures a scope may see. A customer: their own, and as an owner today those of the unit (CP-15).
CREATE FUNCTION customer.visible_tenures(estates uuid[], own uuid, at timestamptz) RETURNS SETOF customer.tenures
LANGUAGE sql STABLE AS $$
    SELECT t.* FROM customer.tenures t
     WHERE (estates IS NULL OR t.estate_id = ANY (estates))
       AND (own IS NULL OR t.customer_id = own
            OR EXISTS (SELECT FROM customer.tenures mine JOIN customer.estates e ON e.id = mine.estate_id
                        WHERE mine.unit_id = t.unit_id AND mine.customer_id = own AND mine.role IN ('owner', 'co_owner')
                          AND customer.holds(mine.from_date, mine.to_date, e.time_zone, at)))
$$;
