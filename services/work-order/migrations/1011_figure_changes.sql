-- Which stretches of time a statement changed for figures (kit_store::rollups): of what `store/facts.rs` reads, by the times that
-- it reads by.

-- Cycles of orders, as they were and as they are. The times of their deadlines are among them, because deadlines are counted by
-- kind, category and standing of their case.
--
-- A case that is new or was moved is another neighbour for others of its unit: for the ones next to it (`Cohort::Neighbours`), and
-- for whatever was closed between it and the case of its category before it (`Cohort::Repeated`).
-- What is planned anew for each call would cost more than it does.
CREATE FUNCTION work_order.note_case_facts() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    touched work_order.case_facts[];
    moved   work_order.case_facts[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT n FROM new_rows n);
        moved := touched;
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT o FROM old_rows o);
        moved := touched;
    ELSE
        touched := ARRAY(SELECT o FROM old_rows o) || ARRAY(SELECT n FROM new_rows n);
        moved := ARRAY(
            SELECT unnest(ARRAY[o, n])
              FROM old_rows o JOIN new_rows n USING (estate_id, work_order_id, cycle)
             WHERE (o.occur_time, o.unit_id, o.category) IS DISTINCT FROM (n.occur_time, n.unit_id, n.category));
    END IF;
    -- An upsert is an INSERT and an UPDATE, one of them of nothing.
    IF cardinality(touched) = 0 THEN
        RETURN NULL;
    END IF;
    INSERT INTO work_order.figure_changes (estate_id, start_time, end_time)
    SELECT f.estate_id,
           min(least(f.occur_time, f.callback_due_time, f.close_time, f.complete_time, f.assess_time, due.first)),
           max(greatest(f.occur_time, f.callback_due_time, f.close_time, f.complete_time, f.assess_time, due.last))
      FROM unnest(touched) AS f
     CROSS JOIN LATERAL (
           SELECT min(k.due_time) AS first, max(k.due_time) AS last
             FROM work_order.clocks k WHERE k.estate_id = f.estate_id AND k.work_order_id = f.work_order_id) AS due
     GROUP BY f.estate_id;
    IF cardinality(moved) = 0 THEN
        RETURN NULL;
    END IF;
    INSERT INTO work_order.figure_changes (estate_id, start_time, end_time, near_start_time, near_end_time)
    SELECT m.estate_id, min(m.occur_time), max(m.occur_time),
           min(least(m.occur_time, before.any_time, before.same_time, later.close_time)), max(greatest(m.occur_time, later.any_time))
      FROM unnest(moved) AS m
     CROSS JOIN LATERAL (
           SELECT (SELECT max(n.occur_time) FROM work_order.case_facts n
                    WHERE n.estate_id = m.estate_id AND n.unit_id = m.unit_id AND n.cycle = 1
                      AND n.occur_time < m.occur_time) AS any_time,
                  (SELECT max(n.occur_time) FROM work_order.case_facts n
                    WHERE n.estate_id = m.estate_id AND n.unit_id = m.unit_id AND n.cycle = 1
                      AND n.occur_time < m.occur_time AND n.category = m.category) AS same_time) AS before
     CROSS JOIN LATERAL (
           -- A case that was converted may have happened, as figures see it, after it was first closed.
           SELECT min(n.occur_time) AS any_time, min(n.close_time) AS close_time FROM work_order.case_facts n
            WHERE n.estate_id = m.estate_id AND n.unit_id = m.unit_id AND n.cycle = 1 AND n.occur_time > m.occur_time) AS later
     WHERE m.cycle = 1 AND m.unit_id IS NOT NULL
     GROUP BY m.estate_id
    -- The first case of a household has no neighbour.
    HAVING bool_or(coalesce(before.any_time, later.any_time) IS NOT NULL);
    RETURN NULL;
END $$;

-- Deadlines.
CREATE FUNCTION work_order.note_clocks() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    touched work_order.clocks[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT n FROM new_rows n);
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT o FROM old_rows o);
    ELSE
        touched := ARRAY(SELECT o FROM old_rows o) || ARRAY(SELECT n FROM new_rows n);
    END IF;
    INSERT INTO work_order.figure_changes (estate_id, start_time, end_time)
    SELECT k.estate_id, min(k.due_time), max(k.due_time) FROM unnest(touched) AS k WHERE k.due_time IS NOT NULL GROUP BY k.estate_id;
    RETURN NULL;
END $$;

CREATE TRIGGER case_facts_inserted AFTER INSERT ON work_order.case_facts
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_case_facts();
CREATE TRIGGER case_facts_updated AFTER UPDATE ON work_order.case_facts
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_case_facts();
CREATE TRIGGER case_facts_deleted AFTER DELETE ON work_order.case_facts
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_case_facts();
CREATE TRIGGER clocks_inserted AFTER INSERT ON work_order.clocks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_clocks();
CREATE TRIGGER clocks_updated AFTER UPDATE ON work_order.clocks
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_clocks();
CREATE TRIGGER clocks_deleted AFTER DELETE ON work_order.clocks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION work_order.note_clocks();
