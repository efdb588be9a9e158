-- The app role writes rows; it deletes only what may be forgotten: ended touchpoints of old, and slots that are given back.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        REVOKE ALL ON care.touchpoints, care.visit_rounds, care.visits, care.visit_slots, care.obligations, care.forums,
            care.delivery_batches, care.annual_plans, care.plans_315, care.programmes, care.programme_evaluations, care.planner_runs,
            care.estate_dates, care.contacts, care.contacts_default, care.officers, care.household_dates, care.batch_units,
            care.handover_slots FROM care_app;
        GRANT SELECT, INSERT, UPDATE ON care.visit_rounds, care.visits, care.obligations, care.forums, care.delivery_batches,
            care.annual_plans, care.plans_315, care.programmes, care.estate_dates, care.household_dates, care.batch_units,
            care.handover_slots TO care_app;
        GRANT SELECT, INSERT ON care.contacts, care.programme_evaluations TO care_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON care.touchpoints, care.visit_slots, care.planner_runs, care.officers TO care_app;
    END IF;
END $$;
