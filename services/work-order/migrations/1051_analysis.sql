-- In which building a unit is, for figures by area (WO-55); null until it was told. Units that were known before are told anew by the
-- next event about them.
ALTER TABLE work_order.units ADD COLUMN IF NOT EXISTS building_code text;

-- Categories that stand out (WO-57), so that a new one is told once. An open one has no end.
CREATE TABLE work_order.hotspots (
    estate_id     uuid NOT NULL,
    rule          text NOT NULL,
    category      text NOT NULL,
    -- Empty for the whole estate.
    building_code text NOT NULL,
    start_date    date NOT NULL,
    CONSTRAINT hotspots_pkey PRIMARY KEY (estate_id, rule, category, building_code)
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'work_order_app') THEN
        REVOKE ALL ON work_order.hotspots FROM work_order_app;
        GRANT SELECT, INSERT, DELETE ON work_order.hotspots TO work_order_app;
        GRANT UPDATE (building_code) ON work_order.units TO work_order_app;
    END IF;
END $$;

-- Every estate has its day: at local midnight what stands out is looked for. Estates that come later get theirs with the event.
INSERT INTO work_order.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
SELECT gen_random_uuid(), 'estate_day', e.id, '', e.id, now(), now(), now() FROM work_order.estates e
ON CONFLICT DO NOTHING;
