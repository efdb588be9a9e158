-- What predicates can ask of a household (M5): one row for each member of today, and one for a household without members.
-- One table, so that a predicate is one WHERE clause that ordinary indexes serve. Derived, never typed in: the keeper of
-- facts (app/keep_facts.rs) writes it from the tables below, from units, tenures and customers.
CREATE TABLE customer.household_facts (
    household_id               uuid             NOT NULL,
    -- The nil UUID for a household without members.
    customer_id                uuid             NOT NULL,
    estate_id                  uuid             NOT NULL,
    unit_id                    uuid             NOT NULL,
    -- The member to turn to first, or the row of a household without members: one in each household.
    is_main                    boolean          NOT NULL,
    occupancy                  text,
    occupancy_date             date,
    delivered_date             date,
    is_delivered               boolean          NOT NULL,
    moved_in_date              date,
    is_renovating              boolean          NOT NULL,
    renovation_start_date      date,
    renovation_end_date        date,
    has_major_complaint        boolean          NOT NULL,
    major_complaint_date       date,
    member_count               integer          NOT NULL,
    has_owner                  boolean          NOT NULL,
    is_reachable               boolean          NOT NULL,
    eldest_age                 integer,
    youngest_age               integer,
    household_tags             text[]           NOT NULL DEFAULT '{}',
    unit_kind                  text             NOT NULL,
    building_code              text             NOT NULL,
    entrance_code              text,
    floor                      integer,
    area_square_metres         double precision,
    tenure_role                text,
    tenure_from_date           date,
    party                      text,
    customer_kind              text,
    journey_stage              text,
    journey_node               text,
    -- Years of age, never the date: that stays sealed.
    age                        integer,
    age_band                   text,
    family_structure           text,
    occupation                 text,
    is_company_owner           boolean,
    has_opted_out_of_profiling boolean,
    tier                       text,
    contact_mode               text,
    do_not_disturb             boolean,
    preferred_language         text,
    tags                       text[]           NOT NULL DEFAULT '{}',
    -- Uses within the last days, such as {"parcel_30d": 5} (CP-06).
    service_use                jsonb            NOT NULL DEFAULT '{}',
    update_time                timestamptz      NOT NULL,
    CONSTRAINT household_facts_pkey PRIMARY KEY (household_id, customer_id)
);
-- The order of audiences, and one main row a household.
CREATE UNIQUE INDEX household_facts_estate_id_main_key ON customer.household_facts (estate_id, household_id) WHERE is_main;
CREATE INDEX household_facts_customer_id_idx ON customer.household_facts (customer_id);
-- What selective predicates select by.
CREATE INDEX household_facts_tags_idx ON customer.household_facts USING gin (tags) WITH (fastupdate = off);
CREATE INDEX household_facts_household_tags_idx ON customer.household_facts USING gin (household_tags) WITH (fastupdate = off);
CREATE INDEX household_facts_delivered_date_idx ON customer.household_facts (delivered_date);
CREATE INDEX household_facts_moved_in_date_idx ON customer.household_facts (moved_in_date);
CREATE INDEX household_facts_age_idx ON customer.household_facts (age);
CREATE INDEX household_facts_occupancy_idx ON customer.household_facts (occupancy);
CREATE INDEX household_facts_journey_stage_idx ON customer.household_facts (journey_stage);
CREATE INDEX household_facts_major_idx ON customer.household_facts (major_complaint_date) WHERE has_major_complaint;

-- Households whose facts may have changed: appended in the transaction of the change, taken by the keeper.
CREATE TABLE customer.fact_changes (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    estate_id    uuid NOT NULL,
    household_id uuid NOT NULL,
    CONSTRAINT fact_changes_pkey PRIMARY KEY (id)
);
CREATE INDEX fact_changes_estate_id_idx ON customer.fact_changes (estate_id, id);

-- The local day that an estate's facts are true for; facts of an older day are derived again.
CREATE TABLE customer.fact_days (
    estate_id uuid    NOT NULL,
    fact_date date    NOT NULL,
    -- A rule changed: derive again although the day did not.
    is_due    boolean NOT NULL DEFAULT false,
    CONSTRAINT fact_days_pkey PRIMARY KEY (estate_id),
    CONSTRAINT fact_days_estate_id_fkey FOREIGN KEY (estate_id) REFERENCES customer.estates (id)
);

-- How a unit was used, from a day to a day (CP-17).
CREATE TABLE customer.occupancy_periods (
    unit_id   uuid NOT NULL,
    from_date date NOT NULL,
    to_date   date,
    estate_id uuid NOT NULL,
    occupancy text NOT NULL,
    source    text NOT NULL,
    CONSTRAINT occupancy_periods_pkey PRIMARY KEY (unit_id, from_date),
    CONSTRAINT occupancy_periods_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES customer.units (id),
    CONSTRAINT occupancy_periods_dates_check CHECK (to_date >= from_date)
);

-- Renovations, from declaration to end (CP-18).
CREATE TABLE customer.renovations (
    id                 uuid        NOT NULL,
    estate_id          uuid        NOT NULL,
    unit_id            uuid        NOT NULL,
    household_id       uuid        NOT NULL,
    state              text        NOT NULL,
    planned_from_date  date        NOT NULL,
    planned_to_date    date        NOT NULL,
    start_date         date,
    finish_date        date,
    contractor         text        NOT NULL,
    permit             text        NOT NULL,
    declared_by        text        NOT NULL,
    row_version        bigint      NOT NULL DEFAULT 1,
    create_time        timestamptz NOT NULL,
    update_time        timestamptz NOT NULL,
    CONSTRAINT renovations_pkey PRIMARY KEY (id),
    CONSTRAINT renovations_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES customer.units (id),
    CONSTRAINT renovations_state_check CHECK (state IN ('declared', 'active', 'finished', 'cancelled')),
    CONSTRAINT renovations_planned_check CHECK (planned_to_date >= planned_from_date),
    CONSTRAINT renovations_dates_check CHECK (finish_date >= start_date)
);
-- One at a time.
CREATE UNIQUE INDEX renovations_unit_id_open_key ON customer.renovations (unit_id) WHERE state IN ('declared', 'active');
CREATE INDEX renovations_unit_id_idx ON customer.renovations (unit_id, id DESC);

-- Major complaints as work-order tells of them (CP-40).
CREATE TABLE customer.major_complaints (
    work_order_id uuid        NOT NULL,
    household_id  uuid        NOT NULL,
    estate_id     uuid        NOT NULL,
    reason_codes  text[]      NOT NULL,
    flag_time     timestamptz NOT NULL,
    clear_time    timestamptz,
    CONSTRAINT major_complaints_pkey PRIMARY KEY (work_order_id, household_id)
);
CREATE INDEX major_complaints_household_id_idx ON customer.major_complaints (household_id);

-- What a customer told of themselves, with where it came from and the consent to keep it (CP-05). Codes, not free text.
CREATE TABLE customer.customer_attributes (
    customer_id uuid        NOT NULL,
    code        text        NOT NULL,
    value       text        NOT NULL,
    source      text        NOT NULL,
    consent_id  uuid,
    recorded_by text        NOT NULL,
    record_time timestamptz NOT NULL,
    CONSTRAINT customer_attributes_pkey PRIMARY KEY (customer_id, code),
    CONSTRAINT customer_attributes_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer.customers (id),
    CONSTRAINT customer_attributes_code_check CHECK (code IN
        ('family_structure', 'occupation', 'is_company_owner', 'tier', 'has_opted_out_of_profiling'))
);

-- Days that matter to a customer (CP-31). Those of the person are sealed under the person's key and found by a keyed hash of
-- the day of the year; those of the purchase stand plain, with their unit.
CREATE TABLE customer.key_dates (
    id          uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    unit_id     uuid,
    kind        text        NOT NULL,
    is_lunar    boolean     NOT NULL,
    sealed      bytea,
    day_index   bytea,
    on_date     date,
    consent_id  uuid,
    source      text        NOT NULL,
    row_version bigint      NOT NULL DEFAULT 1,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT key_dates_pkey PRIMARY KEY (id),
    CONSTRAINT key_dates_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer.customers (id),
    CONSTRAINT key_dates_kind_check CHECK (kind IN ('birthday', 'wedding', 'festive', 'subscription', 'signing', 'move_in')),
    CONSTRAINT key_dates_form_check CHECK (
        CASE WHEN kind IN ('birthday', 'wedding', 'festive')
             THEN sealed IS NOT NULL AND day_index IS NOT NULL AND consent_id IS NOT NULL AND on_date IS NULL AND unit_id IS NULL
             ELSE on_date IS NOT NULL AND unit_id IS NOT NULL AND sealed IS NULL AND NOT is_lunar END)
);
CREATE UNIQUE INDEX key_dates_customer_id_kind_key ON customer.key_dates (customer_id, kind)
    WHERE kind IN ('birthday', 'wedding');
CREATE UNIQUE INDEX key_dates_customer_id_unit_id_kind_key ON customer.key_dates (customer_id, unit_id, kind) WHERE unit_id IS NOT NULL;
CREATE INDEX key_dates_customer_id_idx ON customer.key_dates (customer_id);
CREATE INDEX key_dates_day_index_idx ON customer.key_dates (day_index);
CREATE INDEX key_dates_unit_id_idx ON customer.key_dates (unit_id);

-- How often services were used, by day (CP-06). The nil UUID where the member is not known.
CREATE TABLE customer.service_usages (
    household_id uuid    NOT NULL,
    customer_id  uuid    NOT NULL,
    service_code text    NOT NULL,
    use_date     date    NOT NULL,
    estate_id    uuid    NOT NULL,
    use_count    integer NOT NULL,
    CONSTRAINT service_usages_pkey PRIMARY KEY (household_id, service_code, use_date, customer_id),
    CONSTRAINT service_usages_use_count_check CHECK (use_count > 0)
);

-- Dated register of households, for rates (CP-47): what a day was when it ended, never changed after.
CREATE TABLE customer.household_bases (
    estate_id       uuid    NOT NULL,
    base_date       date    NOT NULL,
    managed_count   integer NOT NULL,
    delivered_count integer NOT NULL,
    occupied_count  integer NOT NULL,
    billed_count    integer NOT NULL,
    CONSTRAINT household_bases_pkey PRIMARY KEY (estate_id, base_date)
);

-- The bases of days as the register tells them today, for days that are not closed: handover and use by their dates, every
-- unit under management. Billing is not imported yet (CP-49): billed is what was handed over.
CREATE FUNCTION customer.derived_bases(estate uuid, first_date date, last_date date)
RETURNS TABLE (base_date date, managed_count integer, delivered_count integer, occupied_count integer, billed_count integer)
LANGUAGE sql STABLE AS $$
    SELECT d.base_date, n.managed::integer, n.delivered::integer, n.occupied::integer, n.delivered::integer
      FROM (SELECT s.day::date AS base_date FROM generate_series(first_date, last_date, interval '1 day') AS s(day)) d
     CROSS JOIN LATERAL (
          SELECT count(*) AS managed,
                 count(*) FILTER (WHERE coalesce(u.delivery_date <= d.base_date,
                     u.occupancy NOT IN ('unspecified', 'undelivered'))) AS delivered,
                 count(*) FILTER (WHERE EXISTS (SELECT FROM customer.occupancy_periods p
                     WHERE p.unit_id = u.id AND p.occupancy IN ('occupied', 'leased')
                       AND d.base_date BETWEEN p.from_date AND coalesce(p.to_date, 'infinity'))) AS occupied
            FROM customer.units u WHERE u.estate_id = estate) n
$$;

-- Which households a change touches. After the statement, so that rows of a whole batch come together.
CREATE FUNCTION customer.note_changed_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer.fact_changes (estate_id, household_id) SELECT c.estate_id, c.household_id FROM changed c;
    RETURN NULL;
END $$;
CREATE TRIGGER units_note_inserted AFTER INSERT ON customer.units REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_units();
CREATE TRIGGER units_note_updated AFTER UPDATE ON customer.units REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_units();

CREATE FUNCTION customer.note_changed_tenures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer.fact_changes (estate_id, household_id)
    SELECT DISTINCT u.estate_id, u.household_id FROM changed c JOIN customer.units u ON u.id = c.unit_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tenures_note_inserted AFTER INSERT ON customer.tenures REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_tenures();
CREATE TRIGGER tenures_note_updated AFTER UPDATE ON customer.tenures REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_tenures();

-- The households of these customers.
CREATE FUNCTION customer.note_households_of(customers uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO customer.fact_changes (estate_id, household_id)
    SELECT DISTINCT u.estate_id, u.household_id
      FROM customer.tenures t JOIN customer.units u ON u.id = t.unit_id WHERE t.customer_id = ANY (customers)
$$;
CREATE FUNCTION customer.note_changed_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM customer.note_households_of(ARRAY(SELECT c.id FROM changed c));
    -- Whoever was erased leaves no attributes and no dates behind (CP-51).
    DELETE FROM customer.customer_attributes a USING changed c WHERE a.customer_id = c.id AND c.data_key IS NULL;
    DELETE FROM customer.key_dates k USING changed c WHERE k.customer_id = c.id AND c.data_key IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_note_updated AFTER UPDATE ON customer.customers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_customers();

-- The period of a unit's present use begins where it is written first; a change on the same day replaces it. A use that was
-- recorded with its own date (RecordOccupancy) is there already.
CREATE FUNCTION customer.follow_occupancy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH here AS (
        SELECT c.id, c.estate_id, c.occupancy, (c.update_time AT TIME ZONE e.time_zone)::date AS today,
               CASE WHEN TG_OP = 'INSERT' AND c.occupancy <> 'undelivered' THEN c.delivery_date END AS since
          FROM changed c JOIN customer.estates e ON e.id = c.estate_id
         WHERE NOT EXISTS (SELECT FROM customer.occupancy_periods p
                            WHERE p.unit_id = c.id AND p.to_date IS NULL AND p.occupancy = c.occupancy)
           AND (c.occupancy <> 'unspecified' OR EXISTS (SELECT FROM customer.occupancy_periods p WHERE p.unit_id = c.id))
    ), ended AS (
        UPDATE customer.occupancy_periods p SET to_date = greatest(p.from_date, h.today - 1)
          FROM here h WHERE p.unit_id = h.id AND p.to_date IS NULL AND p.from_date < h.today
    )
    INSERT INTO customer.occupancy_periods AS p (unit_id, from_date, estate_id, occupancy, source)
    SELECT h.id, least(h.since, h.today), h.estate_id, h.occupancy, 'record' FROM here h
    ON CONFLICT ON CONSTRAINT occupancy_periods_pkey DO UPDATE SET occupancy = EXCLUDED.occupancy, to_date = NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER units_follow_inserted AFTER INSERT ON customer.units REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.follow_occupancy();
CREATE TRIGGER units_follow_updated AFTER UPDATE ON customer.units REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.follow_occupancy();

-- What was there before this table was.
INSERT INTO customer.fact_changes (estate_id, household_id) SELECT u.estate_id, u.household_id FROM customer.units u;
INSERT INTO customer.occupancy_periods (unit_id, from_date, estate_id, occupancy, source)
SELECT u.id, (u.update_time AT TIME ZONE e.time_zone)::date, u.estate_id, u.occupancy, 'record'
  FROM customer.units u JOIN customer.estates e ON e.id = u.estate_id WHERE u.occupancy <> 'unspecified';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON customer.household_facts, customer.fact_changes, customer.customer_attributes,
            customer.key_dates TO customer_app;
        GRANT SELECT, INSERT, UPDATE ON customer.fact_days, customer.occupancy_periods, customer.renovations,
            customer.major_complaints, customer.service_usages TO customer_app;
        GRANT SELECT, INSERT ON customer.household_bases TO customer_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON customer.household_bases FROM customer_app;
        REVOKE DELETE ON customer.occupancy_periods, customer.renovations, customer.major_complaints FROM customer_app;
    END IF;
END $$;
