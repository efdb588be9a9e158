-- What became of a dead letter, and who decided. A settled one keeps its head and its history; the event itself, which may
-- hold personal data, goes.
ALTER TABLE {schema}.dead_letters
    ADD COLUMN state       text NOT NULL DEFAULT 'open',
    ADD COLUMN estate_id   uuid,
    ADD COLUMN settle_time timestamptz,
    ADD COLUMN settled_by  text,
    ADD COLUMN reason      text,
    ALTER COLUMN event DROP NOT NULL,
    ADD CONSTRAINT dead_letters_state_check CHECK (state IN ('open', 'redriven', 'discarded')),
    ADD CONSTRAINT dead_letters_settled_check
        CHECK ((state = 'open') = (event IS NOT NULL) AND (state = 'open') = (settle_time IS NULL)
               AND (state = 'open') = (settled_by IS NULL) AND (state = 'discarded') = (reason IS NOT NULL));
UPDATE {schema}.dead_letters SET estate_id = nullif(preview ->> 'estate_id', '')::uuid;
CREATE INDEX dead_letters_state_idx ON {schema}.dead_letters (state, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
        GRANT UPDATE (cause, attempt_count, event, state, settle_time, settled_by, reason) ON {schema}.dead_letters TO {schema}_app;
        -- Who decided what is never deleted by the service.
        REVOKE DELETE ON {schema}.dead_letters FROM {schema}_app;
    END IF;
END $$;
