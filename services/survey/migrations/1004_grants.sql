-- The app role writes rows. Versions, revisions, participants and spent tokens it can only add to.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'survey_app') THEN
        REVOKE ALL ON survey.questionnaires, survey.questionnaire_versions, survey.programmes, survey.waves, survey.frame_jobs,
            survey.sessions, survey.feedback_items, survey.improvement_plans, survey.plan_waves, survey.reports,
            survey.number_blocks, survey.frame_members, survey.quota_cells, survey.invitations, survey.responses,
            survey.responses_default, survey.response_keys, survey.participants, survey.spent_tokens,
            survey.response_revisions, survey.response_revisions_default FROM survey_app;
        GRANT SELECT, INSERT ON survey.questionnaire_versions, survey.response_revisions, survey.response_keys,
            survey.spent_tokens TO survey_app;
        GRANT SELECT, INSERT, UPDATE ON survey.questionnaires, survey.programmes, survey.waves, survey.frame_jobs, survey.sessions,
            survey.feedback_items, survey.improvement_plans, survey.reports, survey.number_blocks, survey.quota_cells,
            survey.invitations, survey.responses TO survey_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON survey.frame_members, survey.plan_waves, survey.participants TO survey_app;
    END IF;
END $$;
