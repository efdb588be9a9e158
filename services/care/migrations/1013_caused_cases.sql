-- Cases that name what care did as their cause (WO-67), as work-order tells of them: beside the deliveries they are what a campaign is
-- judged by (F-05c), whatever a plan counts. Which campaign it was is looked up when the case is heard of, so that it is known for as
-- long as the case, however soon touchpoints are forgotten; null where care never did such a thing.
CREATE TABLE care.caused_cases (
    estate_id      uuid        NOT NULL,
    work_order_id  uuid        NOT NULL,
    customer_id    uuid,
    unit_id        uuid,
    touchpoint_id  uuid,
    campaign_code  text,
    programme_code text,
    kind           text        NOT NULL,
    -- How the case stands to figures: the edge-case matrix.
    standing       text        NOT NULL,
    -- When it happened, or became what it is now.
    case_time      timestamptz NOT NULL,
    update_time    timestamptz NOT NULL,
    CONSTRAINT caused_cases_pkey PRIMARY KEY (estate_id, work_order_id),
    CONSTRAINT caused_cases_cause_check CHECK (num_nonnulls(touchpoint_id, campaign_code) = 1),
    CONSTRAINT caused_cases_standing_check CHECK (standing IN ('valid', 'duplicate', 'withdrawn', 'invalid', 'out_of_scope',
        'transferred'))
);
CREATE INDEX caused_cases_case_time_idx ON care.caused_cases (estate_id, case_time) WHERE programme_code IS NOT NULL;
-- What arrived in a period, of whatever layer.
CREATE INDEX touchpoints_mark_time_idx ON care.touchpoints (estate_id, mark_time) WHERE state = 'confirmed';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        REVOKE ALL ON care.caused_cases FROM care_app;
        -- A cause that is taken back is no cause: its row goes.
        GRANT SELECT, INSERT, UPDATE, DELETE ON care.caused_cases TO care_app;
    END IF;
END $$;
