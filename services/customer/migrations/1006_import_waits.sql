-- An import may be paused, and one that waits too long for somebody expires (DESIGN §3). Both are known states; a paused one
-- is open and keeps its estate, an expired one has ended and lets it go.
ALTER TABLE customer.estate_imports
    -- What a paused import was doing, and goes on with.
    ADD COLUMN paused_state text,
    DROP CONSTRAINT estate_imports_state_check,
    DROP CONSTRAINT estate_imports_end_check,
    ADD CONSTRAINT estate_imports_state_check CHECK (state IN
        ('receiving', 'planning', 'planned', 'applying', 'paused', 'applied', 'failed', 'cancelled', 'expired')),
    ADD CONSTRAINT estate_imports_end_check CHECK (
        (end_time IS NULL) = (state IN ('receiving', 'planning', 'planned', 'applying', 'paused'))),
    ADD CONSTRAINT estate_imports_paused_state_check CHECK (
        (state = 'paused') = (paused_state IS NOT NULL) AND paused_state IN ('planning', 'applying'));
DROP INDEX customer.estate_imports_open_key;
CREATE UNIQUE INDEX estate_imports_open_key ON customer.estate_imports (estate_id)
    WHERE state IN ('receiving', 'planning', 'planned', 'applying', 'paused');
