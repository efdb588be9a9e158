-- What figures are made of, counted before (kit_store::rollups). A memory, not the truth: all of it may be deleted at any time, and
-- nothing of it is written ahead. What a crash may have torn, Postgres empties by itself, both tables together.

-- Which stretch of an estate's time a statement changed. Written by the triggers of the tables that figures are counted from, in
-- the statement that changes them.
CREATE UNLOGGED TABLE {schema}.figure_changes (
    estate_id       uuid        NOT NULL,
    -- Who made it: whether a count has seen it is a matter of snapshots, not of times.
    xact            xid8        NOT NULL DEFAULT pg_current_xact_id(),
    -- The first and the last instant that the changed rows have, or had, in figures.
    start_time      timestamptz NOT NULL,
    end_time        timestamptz NOT NULL,
    -- The same of rows that did not change, but have another neighbour now.
    near_start_time timestamptz,
    near_end_time   timestamptz,
    CONSTRAINT figure_changes_end_time_check CHECK (start_time <= end_time)
);
CREATE INDEX figure_changes_xact_idx ON {schema}.figure_changes (estate_id, xact);

-- What the rows of an estate came to, for one question: definitions and period. `snapshot` is what the count saw of the rows.
CREATE UNLOGGED TABLE {schema}.figure_tallies (
    estate_id        uuid        NOT NULL,
    question         bytea       NOT NULL,
    tallies          bytea       NOT NULL,
    snapshot         pg_snapshot NOT NULL,
    -- From where to where rows were read.
    start_time       timestamptz NOT NULL,
    end_time         timestamptz NOT NULL,
    -- Where a new neighbour of such a row would count.
    reach_start_time timestamptz,
    reach_end_time   timestamptz,
    -- The count is the same at any time from one to the other, the latter no longer.
    since_time       timestamptz,
    until_time       timestamptz,
    count_time       timestamptz NOT NULL,
    CONSTRAINT figure_tallies_pkey PRIMARY KEY (estate_id, question)
) WITH (fillfactor = 70);

-- Changes by transactions before `xact` are forgotten: a count that has not seen all of them is not to be trusted.
CREATE TABLE {schema}.figure_horizon (
    singleton boolean NOT NULL DEFAULT true,
    xact      xid8    NOT NULL,
    -- In another cluster (a dump was loaded there) transactions are numbered anew.
    cluster   bigint  NOT NULL,
    CONSTRAINT figure_horizon_pkey PRIMARY KEY (singleton),
    CONSTRAINT figure_horizon_singleton_check CHECK (singleton)
);

-- Identity of the cluster; 0 where nobody may ask for it.
CREATE FUNCTION {schema}.figure_cluster() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 0;
END $$;

INSERT INTO {schema}.figure_horizon (xact, cluster) VALUES (pg_snapshot_xmin(pg_current_snapshot()), {schema}.figure_cluster());

-- Whether a count has seen every change that concerns it, of those that the asking statement sees. What is still in flight then
-- is seen by neither.
CREATE FUNCTION {schema}.is_figure_fresh(t {schema}.figure_tallies, h {schema}.figure_horizon) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT h.xact <= pg_snapshot_xmin(t.snapshot) AND NOT EXISTS (
        SELECT FROM {schema}.figure_changes c
         WHERE c.estate_id = t.estate_id AND c.xact >= pg_snapshot_xmin(t.snapshot) AND NOT pg_visible_in_snapshot(c.xact, t.snapshot)
           AND ((c.start_time < t.end_time AND c.end_time >= t.start_time)
                OR (c.near_start_time < t.end_time AND c.near_end_time >= t.start_time
                    AND c.start_time <= t.reach_end_time AND c.end_time >= t.reach_start_time)))
$$;

-- Forgets changes that every count has seen, counts that are not true any more, and those older than `forget_before`.
CREATE FUNCTION {schema}.tend_figures(forget_before timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seen xid8;
BEGIN
    -- One at a time; who comes second finds it done.
    PERFORM FROM {schema}.figure_horizon FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE {schema}.figure_horizon SET cluster = {schema}.figure_cluster(), xact = pg_snapshot_xmin(pg_current_snapshot())
     WHERE cluster <> {schema}.figure_cluster();
    IF FOUND THEN
        DELETE FROM {schema}.figure_tallies;
        DELETE FROM {schema}.figure_changes;
        RETURN;
    END IF;
    DELETE FROM {schema}.figure_tallies WHERE count_time < forget_before;
    -- Each statement below has a snapshot of its own, not older than this one.
    seen := pg_snapshot_xmin(pg_current_snapshot());
    IF NOT EXISTS (SELECT FROM {schema}.figure_changes WHERE xact < seen) THEN
        RETURN;
    END IF;
    -- A count that no change concerns is as good as one made now.
    UPDATE {schema}.figure_tallies t SET snapshot = pg_current_snapshot()
      FROM {schema}.figure_horizon h
     WHERE pg_snapshot_xmin(t.snapshot) < seen AND {schema}.is_figure_fresh(t, h);
    UPDATE {schema}.figure_horizon SET xact = seen;
    DELETE FROM {schema}.figure_tallies WHERE pg_snapshot_xmin(snapshot) < seen;
    DELETE FROM {schema}.figure_changes WHERE xact < seen;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}_app') THEN
        REVOKE ALL ON {schema}.figure_changes, {schema}.figure_tallies, {schema}.figure_horizon FROM {schema}_app;
        GRANT SELECT, INSERT, DELETE ON {schema}.figure_changes TO {schema}_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.figure_tallies TO {schema}_app;
        GRANT SELECT, UPDATE ON {schema}.figure_horizon TO {schema}_app;
        GRANT EXECUTE ON FUNCTION {schema}.figure_cluster(), {schema}.tend_figures(timestamptz),
            {schema}.is_figure_fresh({schema}.figure_tallies, {schema}.figure_horizon) TO {schema}_app;
    END IF;
END $$;
