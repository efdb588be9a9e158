-- What people wrote: free texts of a document, sealed by the service, in the order of the document. They stand there instead of in it.
ALTER TABLE care.touchpoints ADD COLUMN texts bytea;
ALTER TABLE care.visit_rounds ADD COLUMN texts bytea;
ALTER TABLE care.visits ADD COLUMN texts bytea;
ALTER TABLE care.obligations ADD COLUMN texts bytea;

-- How long what ended is kept is the estate's to say: it is found by estate.
DROP INDEX care.touchpoints_ended_idx;
CREATE INDEX touchpoints_ended_idx ON care.touchpoints (estate_id, update_time, id)
    WHERE state IN ('confirmed', 'cancelled', 'skipped', 'suppressed', 'held_out');
