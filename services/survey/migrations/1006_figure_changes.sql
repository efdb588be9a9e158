-- Which stretches of time a statement changed for figures (kit_store::rollups): of what `store/facts.rs` reads, by the times that
-- it reads by. What is noted says when a wave was launched, and nothing of who answered.

-- The waves that a wave is compared with (F-11, SV-34): they count its answers too.
CREATE INDEX waves_pair_wave_id_idx ON survey.waves (estate_id, (body #>> '{design,pair_wave_id}'))
    WHERE body #>> '{design,pair_wave_id}' IS NOT NULL;

-- Records that count by instants in their body; the trigger names these.
CREATE FUNCTION survey.note_records() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    estates uuid[];
    bodies  jsonb[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(estate_id), array_agg(body) INTO estates, bodies FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(estate_id), array_agg(body) INTO estates, bodies FROM old_rows;
    ELSE
        -- Texts that come under another key change no figure.
        SELECT array_agg(r.estate_id), array_agg(r.body) INTO estates, bodies
          FROM old_rows o FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.estate_id, o.body), (n.estate_id, n.body)) AS r (estate_id, body)
         WHERE (o.state, o.parent_id, o.body) IS DISTINCT FROM (n.state, n.parent_id, n.body) AND r.estate_id IS NOT NULL;
    END IF;
    INSERT INTO survey.figure_changes (estate_id, start_time, end_time)
    SELECT r.estate_id, min(survey.instant(r.body ->> name)), max(survey.instant(r.body ->> name))
      FROM unnest(estates, bodies) AS r (estate_id, body), unnest(TG_ARGV) AS name
     WHERE r.body ->> name IS NOT NULL
     GROUP BY r.estate_id;
    RETURN NULL;
END $$;

-- What belongs to waves counts when they were launched, and when those were that are compared with them. One that is not launched
-- yet may be in this moment, by a transaction that does not see what this one writes.
CREATE FUNCTION survey.note_waves(estates uuid[], ids uuid[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- An upsert is an INSERT and an UPDATE, one of them of nothing.
    IF estates IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO survey.figure_changes (estate_id, start_time, end_time)
    SELECT DISTINCT w.estate_id, coalesce(survey.instant(w.launch_time), w.sort_time),
           coalesce(survey.instant(w.launch_time), 'infinity')
      FROM unnest(estates, ids) AS k (estate_id, id)
     CROSS JOIN LATERAL (
           SELECT s.estate_id, s.sort_time, s.body ->> 'launch_time' AS launch_time FROM survey.waves s
            WHERE s.estate_id = k.estate_id AND s.id = k.id AND s.state <> 'cancelled'
            UNION ALL
           SELECT s.estate_id, s.sort_time, s.body ->> 'launch_time' FROM survey.waves s
            WHERE s.estate_id = k.estate_id AND s.body #>> '{design,pair_wave_id}' = k.id::text AND s.state <> 'cancelled') AS w;
END $$;

-- A wave is never deleted, unless by hand: those that were compared with it have nothing to be compared with.
CREATE FUNCTION survey.note_gone_waves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM survey.note_waves(array_agg(estate_id), array_agg(id)) FROM old_rows;
    RETURN NULL;
END $$;

-- Frames and invitations: how many there are of a wave.
CREATE FUNCTION survey.note_asked() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    estates uuid[];
    ids     uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(estate_id), array_agg(wave_id) INTO estates, ids FROM (SELECT DISTINCT estate_id, wave_id FROM new_rows) AS k;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(estate_id), array_agg(wave_id) INTO estates, ids FROM (SELECT DISTINCT estate_id, wave_id FROM old_rows) AS k;
    ELSE
        SELECT array_agg(k.estate_id), array_agg(k.wave_id) INTO estates, ids
          FROM (SELECT DISTINCT r.estate_id, r.wave_id
                  FROM old_rows o
                  FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.wave_id = o.wave_id AND n.household_id = o.household_id
                 CROSS JOIN LATERAL (VALUES (o.estate_id, o.wave_id), (n.estate_id, n.wave_id)) AS r (estate_id, wave_id)
                 WHERE o.verdict IS DISTINCT FROM n.verdict AND r.estate_id IS NOT NULL) AS k;
    END IF;
    PERFORM survey.note_waves(estates, ids);
    RETURN NULL;
END $$;

-- What becomes of an invitation changes no figure; whose it is never changes, unless by hand.
CREATE FUNCTION survey.note_moved_invitation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM survey.note_waves(ARRAY[OLD.estate_id, NEW.estate_id], ARRAY[OLD.wave_id, NEW.wave_id]);
    RETURN NULL;
END $$;

-- Answers, as far as they count or did.
CREATE FUNCTION survey.note_responses() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    estates uuid[];
    ids     uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(estate_id), array_agg(wave_id) INTO estates, ids
          FROM (SELECT DISTINCT estate_id, wave_id FROM new_rows WHERE verdict = 'valid') AS k;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(estate_id), array_agg(wave_id) INTO estates, ids
          FROM (SELECT DISTINCT estate_id, wave_id FROM old_rows WHERE verdict = 'valid') AS k;
    ELSE
        SELECT array_agg(k.estate_id), array_agg(k.wave_id) INTO estates, ids
          FROM (SELECT DISTINCT r.estate_id, r.wave_id
                  FROM old_rows o FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.id = o.id AND n.receive_time = o.receive_time
                 CROSS JOIN LATERAL (VALUES (o.estate_id, o.wave_id, o.verdict), (n.estate_id, n.wave_id, n.verdict))
                         AS r (estate_id, wave_id, verdict)
                 WHERE r.verdict = 'valid' AND (o.wave_id, o.verdict, o.mode, o.design_weight, o.body -> 'answers')
                       IS DISTINCT FROM (n.wave_id, n.verdict, n.mode, n.design_weight, n.body -> 'answers')) AS k;
    END IF;
    PERFORM survey.note_waves(estates, ids);
    RETURN NULL;
END $$;

CREATE TRIGGER waves_inserted AFTER INSERT ON survey.waves
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('launch_time');
CREATE TRIGGER waves_updated AFTER UPDATE ON survey.waves
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('launch_time');
CREATE TRIGGER waves_deleted AFTER DELETE ON survey.waves
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('launch_time');
CREATE TRIGGER waves_gone AFTER DELETE ON survey.waves
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_gone_waves();
CREATE TRIGGER feedback_items_inserted AFTER INSERT ON survey.feedback_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('assess_time', 'collate_due_time');
CREATE TRIGGER feedback_items_updated AFTER UPDATE ON survey.feedback_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('assess_time', 'collate_due_time');
CREATE TRIGGER feedback_items_deleted AFTER DELETE ON survey.feedback_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('assess_time', 'collate_due_time');
CREATE TRIGGER improvement_plans_inserted AFTER INSERT ON survey.improvement_plans
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('implement_time', 'end_time');
CREATE TRIGGER improvement_plans_updated AFTER UPDATE ON survey.improvement_plans
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('implement_time', 'end_time');
CREATE TRIGGER improvement_plans_deleted AFTER DELETE ON survey.improvement_plans
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('implement_time', 'end_time');
CREATE TRIGGER sessions_inserted AFTER INSERT ON survey.sessions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('hold_time');
CREATE TRIGGER sessions_updated AFTER UPDATE ON survey.sessions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('hold_time');
CREATE TRIGGER sessions_deleted AFTER DELETE ON survey.sessions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_records('hold_time');
CREATE TRIGGER frame_members_inserted AFTER INSERT ON survey.frame_members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_asked();
CREATE TRIGGER frame_members_updated AFTER UPDATE ON survey.frame_members
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_asked();
CREATE TRIGGER frame_members_deleted AFTER DELETE ON survey.frame_members
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_asked();
CREATE TRIGGER invitations_inserted AFTER INSERT ON survey.invitations
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_asked();
CREATE TRIGGER invitations_deleted AFTER DELETE ON survey.invitations
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_asked();
CREATE TRIGGER invitations_moved AFTER UPDATE OF estate_id, wave_id ON survey.invitations
    FOR EACH ROW EXECUTE FUNCTION survey.note_moved_invitation();
CREATE TRIGGER responses_inserted AFTER INSERT ON survey.responses
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_responses();
CREATE TRIGGER responses_updated AFTER UPDATE ON survey.responses
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_responses();
CREATE TRIGGER responses_deleted AFTER DELETE ON survey.responses
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION survey.note_responses();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'survey_app') THEN
        GRANT EXECUTE ON FUNCTION survey.note_waves(uuid[], uuid[]) TO survey_app;
    END IF;
END $$;
