-- What made an invitation due, of a standing wave: the answer is told with it (SV-27 to SV-30).
ALTER TABLE survey.invitations
    ADD COLUMN subject_kind text,
    ADD COLUMN subject_code text,
    ADD CONSTRAINT invitations_subject_check CHECK ((subject_kind IS NULL) = (subject_code IS NULL));

-- Mystery visits, in the shape of the other records (SV-46).
CREATE TABLE survey.mystery_visits (
    estate_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    state       text        NOT NULL,
    -- The visit that this one looks at again.
    parent_id   uuid,
    customer_id uuid,
    sort_time   timestamptz NOT NULL,
    body        jsonb       NOT NULL,
    texts       bytea       NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT mystery_visits_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT mystery_visits_state_check CHECK (state IN ('planned', 'scored', 'appealed', 'final', 'cancelled')),
    CONSTRAINT mystery_visits_row_version_check CHECK (row_version > 0)
);
CREATE INDEX mystery_visits_id_idx ON survey.mystery_visits (id);
CREATE INDEX mystery_visits_sort_time_idx ON survey.mystery_visits (estate_id, sort_time DESC, id DESC);

-- Figures of a period find their rows by when something happened to them, which stands in the body. The texts are written by
-- this service in RFC 3339 with a Z, so the instant depends on no setting.
CREATE FUNCTION survey.instant(moment text) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN moment::timestamptz;
CREATE INDEX waves_launch_time_idx ON survey.waves (estate_id, survey.instant(body ->> 'launch_time'));
CREATE INDEX waves_close_time_idx ON survey.waves (estate_id, survey.instant(body ->> 'close_time'));
CREATE INDEX feedback_items_assess_time_idx ON survey.feedback_items (estate_id, survey.instant(body ->> 'assess_time'));
CREATE INDEX feedback_items_collate_due_time_idx ON survey.feedback_items (estate_id, survey.instant(body ->> 'collate_due_time'));
CREATE INDEX improvement_plans_implement_time_idx ON survey.improvement_plans (estate_id, survey.instant(body ->> 'implement_time'));
CREATE INDEX improvement_plans_end_time_idx ON survey.improvement_plans (estate_id, survey.instant(body ->> 'end_time'));
CREATE INDEX sessions_hold_time_idx ON survey.sessions (estate_id, survey.instant(body ->> 'hold_time'));

-- The sessions of a wave are those of its estate.
DROP INDEX survey.sessions_parent_id_idx;
CREATE INDEX sessions_parent_id_idx ON survey.sessions (estate_id, parent_id) WHERE parent_id IS NOT NULL;

-- Lists of the few among the many: what is shown, what is told back, what is late.
CREATE INDEX waves_published_idx ON survey.waves (estate_id, sort_time DESC, id DESC) WHERE jsonb_typeof(body -> 'page') = 'object';
CREATE INDEX feedback_items_adopted_idx ON survey.feedback_items (estate_id, sort_time DESC, id DESC) WHERE state IN ('adopted', 'done');
CREATE INDEX feedback_items_overdue_idx ON survey.feedback_items (estate_id, sort_time DESC, id DESC)
    WHERE body @> '{"is_collation_overdue": true}';

-- Figures are kept exactly: a share of a page was a floating point number, the difference of a plan's figures too.
UPDATE survey.waves
   SET body = jsonb_set(
           jsonb_set(body, '{page,response_rate}', jsonb_build_object(
               'numerator', round((body #>> '{page,response_rate}')::numeric * 1000000000), 'denominator', 1000000000)),
           '{page,figures}', coalesce((
               SELECT jsonb_agg(f || jsonb_build_object(
                          'value', jsonb_build_object('numerator', round((f ->> 'value')::numeric * 1000000000), 'denominator', 1000000000),
                          'weighted_value', jsonb_build_object(
                              'numerator', round((f ->> 'weighted_value')::numeric * 1000000000), 'denominator', 1000000000),
                          'interval', CASE WHEN f -> 'interval' = '[0.0, 0.0]' THEN NULL ELSE f -> 'interval' END)
                          ORDER BY place)
                 FROM jsonb_array_elements(body #> '{page,figures}') WITH ORDINALITY AS shown(f, place)), '[]'))
 WHERE jsonb_typeof(body -> 'page') = 'object';
UPDATE survey.improvement_plans
   SET body = jsonb_set(body, '{effect}', (body -> 'effect') - 'difference' || jsonb_build_object(
           'difference_millionths', round((body #>> '{effect,difference}')::numeric * 1000000)))
 WHERE jsonb_typeof(body -> 'effect') = 'object';

-- Sealed texts come under the current key in the background: of revisions, which are append-only otherwise, that column alone.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'survey_app') THEN
        REVOKE ALL ON survey.mystery_visits FROM survey_app;
        GRANT SELECT, INSERT, UPDATE ON survey.mystery_visits TO survey_app;
        GRANT UPDATE (texts) ON survey.response_revisions TO survey_app;
        GRANT EXECUTE ON FUNCTION survey.instant(text) TO survey_app;
    END IF;
END $$;
