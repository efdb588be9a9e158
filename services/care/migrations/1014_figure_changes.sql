-- Which stretches of time a statement changed for figures (kit_store::rollups): of what `store/metrics.rs` and `store/caused.rs` read,
-- by the times that they read by.

-- Whether a touchpoint is care of a stretch of time: it reached somebody in it, or was held out or not wanted (F-09).
CREATE FUNCTION care.is_care_of(state text, mark_time timestamptz, sort_time timestamptz, document jsonb, start_time timestamptz,
    end_time timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT state = 'confirmed' AND mark_time >= start_time AND mark_time < end_time
        OR (state = 'held_out' OR state = 'suppressed' AND document ->> 'reason_code' IN ('no_consent', 'preference', 'opted_out'))
           AND sort_time >= start_time AND sort_time < end_time
$$;

-- Notes instants of estates, a row for each month of them: what is planned far ahead does not touch the months between.
CREATE FUNCTION care.note_instants(estates uuid[], instants timestamptz[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO care.figure_changes (estate_id, start_time, end_time)
    SELECT estate_id, min(instant), max(instant)
      FROM unnest(estates, instants) AS r (estate_id, instant) WHERE instant IS NOT NULL
     GROUP BY estate_id, date_trunc('month', instant, 'UTC')
$$;

-- Touchpoints, as far as they count or did: when they were due and what became of them.
CREATE FUNCTION care.note_touchpoints() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    estates  uuid[];
    instants timestamptz[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(t.estate_id), array_agg(instant) INTO estates, instants
          FROM new_rows t, unnest(ARRAY[t.sort_time, t.mark_time]) AS instant
         WHERE t.state IN ('acted', 'confirmed', 'overdue', 'suppressed', 'held_out');
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(t.estate_id), array_agg(instant) INTO estates, instants
          FROM old_rows t, unnest(ARRAY[t.sort_time, t.mark_time]) AS instant
         WHERE t.state IN ('acted', 'confirmed', 'overdue', 'suppressed', 'held_out');
    ELSE
        SELECT array_agg(r.estate_id), array_agg(instant) INTO estates, instants
          FROM old_rows o
          FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.estate_id, o.state, o.sort_time, o.mark_time), (n.estate_id, n.state, n.sort_time, n.mark_time))
               AS r (estate_id, state, sort_time, mark_time)
         CROSS JOIN LATERAL unnest(ARRAY[r.sort_time, r.mark_time]) AS instant
         WHERE (o.state, o.sort_time, o.mark_time, o.document) IS DISTINCT FROM (n.state, n.sort_time, n.mark_time, n.document)
           AND r.state IN ('acted', 'confirmed', 'overdue', 'suppressed', 'held_out');
    END IF;
    PERFORM care.note_instants(estates, instants);
    RETURN NULL;
END $$;

-- Talks of the relationship.
CREATE FUNCTION care.note_contacts() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM care.note_instants(array_agg(c.estate_id), array_agg(c.contact_time))
           FROM old_rows c WHERE c.purpose = 'relationship' AND c.is_two_way;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM care.note_instants(array_agg(c.estate_id), array_agg(c.contact_time))
           FROM new_rows c WHERE c.purpose = 'relationship' AND c.is_two_way;
    END IF;
    RETURN NULL;
END $$;

-- Visits that are over.
CREATE FUNCTION care.note_visits() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM care.note_instants(array_agg(v.estate_id), array_agg(v.mark_time)) FROM old_rows v WHERE v.state IN ('done', 'closed');
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM care.note_instants(array_agg(v.estate_id), array_agg(v.mark_time)) FROM new_rows v WHERE v.state IN ('done', 'closed');
    END IF;
    RETURN NULL;
END $$;

-- Batches of handovers, by the begin of their window.
CREATE FUNCTION care.note_batches() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM care.note_instants(array_agg(b.estate_id), array_agg(b.sort_time)) FROM old_rows b;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM care.note_instants(array_agg(b.estate_id), array_agg(b.sort_time)) FROM new_rows b;
    END IF;
    RETURN NULL;
END $$;

-- Their units. A batch that is not written yet notes itself when it is.
CREATE FUNCTION care.note_batch_units() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM care.note_instants(array_agg(b.estate_id), array_agg(b.sort_time))
           FROM (SELECT DISTINCT estate_id, batch_id FROM old_rows) u
           JOIN care.delivery_batches b ON b.estate_id = u.estate_id AND b.id = u.batch_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM care.note_instants(array_agg(b.estate_id), array_agg(b.sort_time))
           FROM (SELECT DISTINCT estate_id, batch_id FROM new_rows) u
           JOIN care.delivery_batches b ON b.estate_id = u.estate_id AND b.id = u.batch_id;
    END IF;
    RETURN NULL;
END $$;

-- Complaints of campaigns: they are laid to deliveries of the time before them and after it, from the moment on that those were due (F-05c).
-- Every count that ends after a case may have it.
CREATE FUNCTION care.note_caused_cases() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO care.figure_changes (estate_id, start_time, end_time)
        SELECT estate_id, min(case_time), 'infinity' FROM old_rows GROUP BY estate_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO care.figure_changes (estate_id, start_time, end_time)
        SELECT estate_id, min(case_time), 'infinity' FROM new_rows GROUP BY estate_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER touchpoints_inserted AFTER INSERT ON care.touchpoints
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_touchpoints();
CREATE TRIGGER touchpoints_updated AFTER UPDATE ON care.touchpoints
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_touchpoints();
CREATE TRIGGER touchpoints_deleted AFTER DELETE ON care.touchpoints
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_touchpoints();
CREATE TRIGGER contacts_inserted AFTER INSERT ON care.contacts
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_contacts();
CREATE TRIGGER contacts_updated AFTER UPDATE ON care.contacts
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_contacts();
CREATE TRIGGER contacts_deleted AFTER DELETE ON care.contacts
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_contacts();
CREATE TRIGGER visits_inserted AFTER INSERT ON care.visits
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_visits();
CREATE TRIGGER visits_updated AFTER UPDATE ON care.visits
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_visits();
CREATE TRIGGER visits_deleted AFTER DELETE ON care.visits
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_visits();
CREATE TRIGGER delivery_batches_inserted AFTER INSERT ON care.delivery_batches
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batches();
CREATE TRIGGER delivery_batches_updated AFTER UPDATE ON care.delivery_batches
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batches();
CREATE TRIGGER delivery_batches_deleted AFTER DELETE ON care.delivery_batches
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batches();
CREATE TRIGGER batch_units_inserted AFTER INSERT ON care.batch_units
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batch_units();
CREATE TRIGGER batch_units_updated AFTER UPDATE ON care.batch_units
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batch_units();
CREATE TRIGGER batch_units_deleted AFTER DELETE ON care.batch_units
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_batch_units();
CREATE TRIGGER caused_cases_inserted AFTER INSERT ON care.caused_cases
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_caused_cases();
CREATE TRIGGER caused_cases_updated AFTER UPDATE ON care.caused_cases
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_caused_cases();
CREATE TRIGGER caused_cases_deleted AFTER DELETE ON care.caused_cases
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION care.note_caused_cases();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        GRANT EXECUTE ON FUNCTION care.is_care_of(text, timestamptz, timestamptz, jsonb, timestamptz, timestamptz),
            care.note_instants(uuid[], timestamptz[]) TO care_app;
    END IF;
END $$;
