-- Which stretches of time a statement changed for figures (kit_store::rollups): of what `file_rows`, `stay_rows` and `store/stays.rs`
-- read. Files count as they are now, so that what a change touches is mostly every period since, or every period.

-- Notes local days of estates, whatever their zones: a row for each estate.
CREATE FUNCTION customer.note_days(estates uuid[], first_days date[], last_days date[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO customer.figure_changes (estate_id, start_time, end_time)
    SELECT estate_id, (min(first_day) - 1)::timestamp AT TIME ZONE 'UTC', (max(last_day) + 2)::timestamp AT TIME ZONE 'UTC'
      FROM unnest(estates, first_days, last_days) AS r (estate_id, first_day, last_day) WHERE estate_id IS NOT NULL
     GROUP BY estate_id
$$;

-- Notes all time of estates.
CREATE FUNCTION customer.note_always(estates uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO customer.figure_changes (estate_id, start_time, end_time)
    SELECT DISTINCT estate_id, timestamptz '-infinity', timestamptz 'infinity'
      FROM unnest(estates) AS r (estate_id) WHERE estate_id IS NOT NULL
$$;

-- Customers count at home from the moment on that they were recorded, and make the files of homes complete in whichever estate they
-- have tenures.
CREATE FUNCTION customer.note_customers() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    people uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO customer.figure_changes (estate_id, start_time, end_time)
        SELECT home_estate_id, min(create_time), 'infinity' FROM new_rows GROUP BY home_estate_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO customer.figure_changes (estate_id, start_time, end_time)
        SELECT home_estate_id, min(create_time), 'infinity' FROM old_rows GROUP BY home_estate_id;
    ELSE
        INSERT INTO customer.figure_changes (estate_id, start_time, end_time)
        SELECT r.home_estate_id, min(r.create_time), 'infinity'
          FROM old_rows o
          FULL JOIN new_rows n ON n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.home_estate_id, o.create_time), (n.home_estate_id, n.create_time)) AS r (home_estate_id, create_time)
         WHERE (o.home_estate_id, o.kind, o.number, o.phone_index, o.create_time, o.erase_time IS NULL)
               IS DISTINCT FROM
               (n.home_estate_id, n.kind, n.number, n.phone_index, n.create_time, n.erase_time IS NULL)
           AND r.home_estate_id IS NOT NULL
         GROUP BY r.home_estate_id;
        -- Whether they can be reached; what is sealed again under another key, or has another number to ring, changes no file.
        SELECT array_agg(n.id) INTO people
          FROM old_rows o JOIN new_rows n ON n.id = o.id
         WHERE (o.erase_time IS NULL, o.phone IS NOT NULL AND o.phone_state <> 'invalid' OR o.email IS NOT NULL AND o.email_state <> 'invalid')
               IS DISTINCT FROM
               (n.erase_time IS NULL, n.phone IS NOT NULL AND n.phone_state <> 'invalid' OR n.email IS NOT NULL AND n.email_state <> 'invalid');
        IF people IS NOT NULL THEN
            PERFORM customer.note_always(array_agg(u.estate_id))
               FROM customer.tenures t JOIN customer.units u ON u.id = t.unit_id WHERE t.customer_id = ANY (people);
        END IF;
        -- A number is never changed, unless by hand; counts of stays know customers by it.
        IF EXISTS (SELECT FROM old_rows o JOIN new_rows n ON n.id = o.id WHERE n.number <> o.number) THEN
            PERFORM customer.note_always(array_agg(e.id)) FROM customer.estates e;
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- A transaction by the half of its number that locks know it by: whoever is under way holds the lock of their own number. (A snapshot
-- does not list those that began after the last one that ended.)
CREATE FUNCTION customer.whole_xact(half xid) RETURNS xid8 LANGUAGE sql STABLE AS $$
    SELECT (own.xact + ((half::text::bigint - own.xact) % 4294967296 + 6442450944) % 4294967296 - 2147483648)::text::xid8
      FROM (SELECT pg_current_xact_id()::text::bigint AS xact) own
$$;

-- Tenures, on the days on which they hold. A home counts in the estate of its unit, a stay in that of the tenure; they are one, unless
-- by hand.
CREATE FUNCTION customer.note_tenures() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    estates    uuid[];
    first_days date[];
    last_days  date[];
    people     uuid[];
    free_count bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(e.id), array_agg(t.from_date), array_agg(coalesce(t.to_date, 'infinity')), array_agg(DISTINCT t.customer_id)
          INTO estates, first_days, last_days, people
          FROM new_rows t LEFT JOIN customer.units u ON u.id = t.unit_id
         CROSS JOIN LATERAL unnest(ARRAY[t.estate_id, u.estate_id]) AS e (id);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(e.id), array_agg(t.from_date), array_agg(coalesce(t.to_date, 'infinity')) INTO estates, first_days, last_days
          FROM old_rows t LEFT JOIN customer.units u ON u.id = t.unit_id
         CROSS JOIN LATERAL unnest(ARRAY[t.estate_id, u.estate_id]) AS e (id);
    ELSE
        SELECT array_agg(e.id), array_agg(r.from_date), array_agg(coalesce(r.to_date, 'infinity')),
               array_agg(DISTINCT n.customer_id)
                   FILTER (WHERE (o.estate_id, o.unit_id, o.customer_id) IS DISTINCT FROM (n.estate_id, n.unit_id, n.customer_id)
                             AND n.customer_id IS NOT NULL)
          INTO estates, first_days, last_days, people
          FROM old_rows o
          FULL JOIN new_rows n ON n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.estate_id, o.unit_id, o.from_date, o.to_date), (n.estate_id, n.unit_id, n.from_date, n.to_date))
               AS r (estate_id, unit_id, from_date, to_date)
          LEFT JOIN customer.units u ON u.id = r.unit_id
         CROSS JOIN LATERAL unnest(ARRAY[r.estate_id, u.estate_id]) AS e (id)
         WHERE (o.estate_id, o.unit_id, o.customer_id, o.role, o.from_date, o.to_date)
               IS DISTINCT FROM
               (n.estate_id, n.unit_id, n.customer_id, n.role, n.from_date, n.to_date);
    END IF;
    PERFORM customer.note_days(estates, first_days, last_days);
    -- Whoever changes one of these customers meanwhile has to see the tenures, or would not know that the change counts here: it waits
    -- for the end of this transaction. A change that came first does not see them and is not waited for: whatever it is, it is noted for
    -- these estates in the name of each transaction under way.
    IF people IS NOT NULL THEN
        PERFORM FROM customer.customers c WHERE c.id = ANY (people) FOR SHARE SKIP LOCKED;
        GET DIAGNOSTICS free_count = ROW_COUNT;
        IF free_count < cardinality(people) THEN
            INSERT INTO customer.figure_changes (estate_id, xact, start_time, end_time)
            SELECT DISTINCT e.id, customer.whole_xact(x.transactionid), timestamptz '-infinity', timestamptz 'infinity'
              FROM unnest(estates) AS e (id), pg_locks AS x
             WHERE e.id IS NOT NULL AND x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock' AND x.granted;
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Units: files of homes, and the area that an estate weighs in churn (F-13a), of which no date says since when.
CREATE FUNCTION customer.note_units() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM customer.note_always(array_agg(estate_id)) FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM customer.note_always(array_agg(estate_id)) FROM old_rows;
    ELSE
        PERFORM customer.note_always(array_agg(e.id))
           FROM old_rows o
           FULL JOIN new_rows n ON n.id = o.id
          CROSS JOIN LATERAL unnest(ARRAY[o.estate_id, n.estate_id]) AS e (id)
          WHERE (o.estate_id, o.area_square_metres, o.create_time, o.delivery_date, o.delivery_date IS NULL AND o.occupancy = 'undelivered')
                IS DISTINCT FROM
                (n.estate_id, n.area_square_metres, n.create_time, n.delivery_date, n.delivery_date IS NULL AND n.occupancy = 'undelivered');
    END IF;
    RETURN NULL;
END $$;

-- Exits, by their day. One of an estate counts in every period that ends after it: the estate is not there any more.
CREATE FUNCTION customer.note_exits() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM customer.note_days(array_agg(estate_id), array_agg(exit_date),
                                   array_agg(CASE WHEN customer_id IS NULL THEN 'infinity' ELSE exit_date END)) FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM customer.note_days(array_agg(estate_id), array_agg(exit_date),
                                   array_agg(CASE WHEN customer_id IS NULL THEN 'infinity' ELSE exit_date END)) FROM old_rows;
    ELSE
        PERFORM customer.note_days(array_agg(r.estate_id), array_agg(r.exit_date),
                                   array_agg(CASE WHEN r.customer_id IS NULL THEN 'infinity' ELSE r.exit_date END))
           FROM old_rows o
           FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.id = o.id
          CROSS JOIN LATERAL (VALUES (o.estate_id, o.customer_id, o.exit_date), (n.estate_id, n.customer_id, n.exit_date))
                AS r (estate_id, customer_id, exit_date)
          WHERE (o.estate_id, o.customer_id, o.kind, o.exit_date) IS DISTINCT FROM (n.estate_id, n.customer_id, n.kind, n.exit_date)
            AND r.estate_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- What an estate weighs in churn, and since when it is there. Its zone is no row of a count: what is counted in another zone is another
-- count, and whoever has estates in memory (kit_store::estates) hears by the epoch that they have changed. Most updates count units;
-- they leave the epoch, which is one row, alone.
CREATE FUNCTION customer.note_estates() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    is_other boolean := true;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM customer.note_always(array_agg(id)) FROM old_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM customer.note_always(array_agg(n.id)) FROM old_rows o JOIN new_rows n ON n.id = o.id
          WHERE (n.unit_count, n.create_time) <> (o.unit_count, o.create_time);
        is_other := EXISTS (SELECT FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                             WHERE (o.id, o.group_id, o.region_id, o.name, o.time_zone)
                                   IS DISTINCT FROM (n.id, n.group_id, n.region_id, n.name, n.time_zone));
    END IF;
    IF is_other THEN
        UPDATE customer.policy_epoch SET epoch = epoch + 1;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER customers_inserted AFTER INSERT ON customer.customers
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_customers();
CREATE TRIGGER customers_updated AFTER UPDATE ON customer.customers
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_customers();
CREATE TRIGGER customers_deleted AFTER DELETE ON customer.customers
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_customers();
CREATE TRIGGER tenures_inserted AFTER INSERT ON customer.tenures
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_tenures();
CREATE TRIGGER tenures_updated AFTER UPDATE ON customer.tenures
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_tenures();
CREATE TRIGGER tenures_deleted AFTER DELETE ON customer.tenures
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_tenures();
CREATE TRIGGER units_inserted AFTER INSERT ON customer.units
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_units();
CREATE TRIGGER units_updated AFTER UPDATE ON customer.units
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_units();
CREATE TRIGGER units_deleted AFTER DELETE ON customer.units
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_units();
CREATE TRIGGER exits_inserted AFTER INSERT ON customer.exits
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_exits();
CREATE TRIGGER exits_updated AFTER UPDATE ON customer.exits
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_exits();
CREATE TRIGGER exits_deleted AFTER DELETE ON customer.exits
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_exits();
CREATE TRIGGER estates_inserted AFTER INSERT ON customer.estates
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_estates();
CREATE TRIGGER estates_updated AFTER UPDATE ON customer.estates
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_estates();
CREATE TRIGGER estates_deleted AFTER DELETE ON customer.estates
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION customer.note_estates();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        GRANT EXECUTE ON FUNCTION customer.note_days(uuid[], date[], date[]), customer.note_always(uuid[]),
            customer.whole_xact(xid) TO customer_app;
    END IF;
END $$;
