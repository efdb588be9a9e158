-- Community activities. What a plan says stands in the document; what registrations change stands in columns beside it, so that neither
-- writer waits for the other's version: verbs are guarded by `row_version`, places by the row's lock and `activities_seats_check`.
CREATE TABLE care.activities (
    estate_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    state            text        NOT NULL,
    sort_time        timestamptz NOT NULL,
    document         jsonb       NOT NULL,
    capacity         integer     GENERATED ALWAYS AS ((document -> 'plan' ->> 'capacity')::integer) STORED,
    confirmed_seats  integer     NOT NULL DEFAULT 0,
    confirmed_count  integer     NOT NULL DEFAULT 0,
    waiting_count    integer     NOT NULL DEFAULT 0,
    checked_in_count integer     NOT NULL DEFAULT 0,
    no_show_count    integer     NOT NULL DEFAULT 0,
    opinion_count    integer     NOT NULL DEFAULT 0,
    -- The last numbers given: order of arrival, and of the waiting list.
    last_sequence    integer     NOT NULL DEFAULT 0,
    last_waiting     integer     NOT NULL DEFAULT 0,
    -- How far the present notice to registrants went, and up to whom it goes.
    noticed_sequence integer     NOT NULL DEFAULT 0,
    notice_until     integer     NOT NULL DEFAULT 0,
    row_version      bigint      NOT NULL,
    create_time      timestamptz NOT NULL,
    update_time      timestamptz NOT NULL,
    CONSTRAINT activities_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT activities_state_check CHECK (state IN ('draft', 'approved', 'published', 'closed', 'cancelled')),
    CONSTRAINT activities_seats_check CHECK (confirmed_seats BETWEEN 0 AND capacity)
);
CREATE INDEX activities_id_idx ON care.activities (id);
CREATE INDEX activities_estate_id_idx ON care.activities (estate_id, sort_time DESC, id DESC);

-- Who registered. `sequence` is given under the lock of the activity's row: it is the order of arrival, without gaps.
CREATE TABLE care.registrations (
    estate_id      uuid        NOT NULL,
    activity_id    uuid        NOT NULL,
    id             uuid        NOT NULL,
    household_id   uuid        NOT NULL,
    unit_id        uuid        NOT NULL,
    customer_id    uuid,
    party_size     integer     NOT NULL,
    state          text        NOT NULL,
    sequence       integer     NOT NULL,
    waiting_number integer,
    check_in_code  text        NOT NULL,
    register_time  timestamptz NOT NULL,
    confirm_time   timestamptz,
    check_in_time  timestamptz,
    cancel_time    timestamptz,
    CONSTRAINT registrations_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT registrations_sequence_key UNIQUE (estate_id, activity_id, sequence),
    CONSTRAINT registrations_check_in_code_key UNIQUE (estate_id, activity_id, check_in_code),
    CONSTRAINT registrations_party_size_check CHECK (party_size > 0),
    CONSTRAINT registrations_state_check CHECK (state IN ('confirmed', 'waiting', 'checked_in', 'no_show', 'lapsed', 'cancelled'))
);
CREATE INDEX registrations_id_idx ON care.registrations (id);
-- One registration of a household that stands.
CREATE UNIQUE INDEX registrations_household_key ON care.registrations (estate_id, activity_id, household_id) WHERE state <> 'cancelled';
CREATE INDEX registrations_waiting_idx ON care.registrations (estate_id, activity_id, sequence) WHERE state = 'waiting';

-- Opinions that were collected at an activity: items of the survey service.
CREATE TABLE care.activity_opinions (
    estate_id        uuid        NOT NULL,
    activity_id      uuid        NOT NULL,
    feedback_item_id uuid        NOT NULL,
    create_time      timestamptz NOT NULL,
    CONSTRAINT activity_opinions_pkey PRIMARY KEY (estate_id, activity_id, feedback_item_id)
);

-- Gives free places to those who wait: again and again to the first in order of arrival whose party fits. Each of its statements sees
-- what was committed before the activity's lock was taken, which one statement would not.
CREATE FUNCTION care.promote_waiting(of_estate uuid, of_activity uuid, at timestamptz) RETURNS SETOF care.registrations
LANGUAGE plpgsql AS $$
DECLARE
    free integer;
    one  care.registrations;
BEGIN
    SELECT capacity - confirmed_seats INTO free FROM care.activities WHERE estate_id = of_estate AND id = of_activity FOR UPDATE;
    LOOP
        SELECT * INTO one FROM care.registrations
         WHERE estate_id = of_estate AND activity_id = of_activity AND state = 'waiting' AND party_size <= free
         ORDER BY sequence LIMIT 1;
        EXIT WHEN NOT FOUND;
        UPDATE care.registrations SET state = 'confirmed', confirm_time = at
         WHERE estate_id = of_estate AND id = one.id RETURNING * INTO one;
        UPDATE care.activities
           SET confirmed_seats = confirmed_seats + one.party_size, confirmed_count = confirmed_count + 1, waiting_count = waiting_count - 1
         WHERE estate_id = of_estate AND id = of_activity;
        free := free - one.party_size;
        RETURN NEXT one;
    END LOOP;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        REVOKE ALL ON care.activities, care.registrations, care.activity_opinions FROM care_app;
        GRANT SELECT, INSERT, UPDATE ON care.activities, care.registrations TO care_app;
        GRANT SELECT, INSERT ON care.activity_opinions TO care_app;
    END IF;
END $$;
