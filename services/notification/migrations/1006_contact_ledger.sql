-- The contact ledger (M7). Three tables and their work:
--
-- contacts         what was promised or made, one row per contact; the key makes it single. Rows that no cap can look back
--                  to any more are forgotten (13 months), so this is bounded by traffic, not by age.
-- contact_counts   the same contacts by whom they count for: what caps are measured on, by index, in one window of time.
-- contact_heads    one row per household and per customer with counted contacts. Whoever counts raises its version, and
--                  writes only if nobody did so since it looked. Rolling windows have no buckets that could be counters;
--                  the version makes "I looked, there was room, I took it" one step, whatever the window.
-- contact_entries  everything that happened, append-only, by month.
CREATE TABLE notification.contacts (
    key           bytea       NOT NULL,
    id            uuid        NOT NULL,
    estate_id     uuid        NOT NULL,
    household_id  uuid,
    customer_id   uuid,
    state         text        NOT NULL,
    message_class text        NOT NULL,
    channel       text,
    subject_kind  text        NOT NULL,
    subject_id    uuid,
    topic         text        NOT NULL,
    contact_time  timestamptz NOT NULL,
    create_time   timestamptz NOT NULL,
    CONSTRAINT contacts_pkey PRIMARY KEY (key),
    CONSTRAINT contacts_id_key UNIQUE (id),
    CONSTRAINT contacts_state_check CHECK (state IN ('reserved', 'sent')),
    CONSTRAINT contacts_class_check CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff', 'survey'))
);
CREATE INDEX contacts_contact_time_idx ON notification.contacts (contact_time);

CREATE TABLE notification.contact_counts (
    scope         text        NOT NULL,
    scope_id      uuid        NOT NULL,
    contact_time  timestamptz NOT NULL,
    contact_id    uuid        NOT NULL,
    message_class text        NOT NULL,
    subject_kind  text        NOT NULL,
    topic         text        NOT NULL,
    CONSTRAINT contact_counts_pkey PRIMARY KEY (scope, scope_id, contact_time, contact_id),
    CONSTRAINT contact_counts_scope_check CHECK (scope IN ('household', 'person'))
);
CREATE INDEX contact_counts_contact_time_idx ON notification.contact_counts (contact_time);

CREATE TABLE notification.contact_heads (
    scope       text        NOT NULL,
    scope_id    uuid        NOT NULL,
    row_version bigint      NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT contact_heads_pkey PRIMARY KEY (scope, scope_id),
    CONSTRAINT contact_heads_scope_check CHECK (scope IN ('household', 'person'))
);

CREATE TABLE notification.contact_entries (
    estate_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    contact_id    uuid,
    household_id  uuid,
    customer_id   uuid,
    kind          text        NOT NULL,
    message_class text        NOT NULL,
    channel       text,
    subject_kind  text        NOT NULL,
    subject_id    uuid,
    topic         text        NOT NULL,
    message_id    uuid,
    reasons       text[]      NOT NULL,
    note          text        NOT NULL,
    actor_kind    text        NOT NULL,
    actor_subject text        NOT NULL,
    contact_time  timestamptz NOT NULL,
    create_time   timestamptz NOT NULL,
    CONSTRAINT contact_entries_pkey PRIMARY KEY (estate_id, id, create_time),
    CONSTRAINT contact_entries_kind_check CHECK (kind IN ('reserved', 'sent', 'released', 'deferred', 'refused', 'overridden')),
    CONSTRAINT contact_entries_class_check CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff', 'survey'))
) PARTITION BY RANGE (create_time);
CREATE TABLE notification.contact_entries_default PARTITION OF notification.contact_entries DEFAULT;
CREATE INDEX contact_entries_household_id_idx ON notification.contact_entries (household_id, create_time DESC, id DESC)
    WHERE household_id IS NOT NULL;
CREATE INDEX contact_entries_customer_id_idx ON notification.contact_entries (customer_id, create_time DESC, id DESC)
    WHERE customer_id IS NOT NULL;

-- Raises the versions of heads that are as the caller saw them, in one order, so that two batches never wait in a circle;
-- fails, and with it the whole statement, when one has moved on.
CREATE FUNCTION notification.take_contact_heads(heads jsonb, now_time timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken bigint;
BEGIN
    IF heads IS NULL OR jsonb_array_length(heads) = 0 THEN
        RETURN 0;
    END IF;
    WITH raised AS (
        INSERT INTO notification.contact_heads AS h (scope, scope_id, row_version, update_time)
        SELECT g.scope, g.scope_id, g.seen + 1, now_time
          FROM jsonb_to_recordset(heads) AS g(scope text, scope_id uuid, seen bigint) ORDER BY g.scope, g.scope_id
        ON CONFLICT ON CONSTRAINT contact_heads_pkey
        DO UPDATE SET row_version = h.row_version + 1, update_time = EXCLUDED.update_time WHERE h.row_version = EXCLUDED.row_version - 1
        RETURNING 1
    )
    SELECT count(*) INTO taken FROM raised;
    IF taken <> jsonb_array_length(heads) THEN
        RAISE EXCEPTION 'contacts were counted meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN taken;
END $$;

-- Writes what a decision does to the ledger: new contacts, contacts made, contacts given back, and the lines that tell.
-- A contact that somebody else made meanwhile fails on `contacts_pkey`, and with it the whole statement.
CREATE FUNCTION notification.write_contacts(changes jsonb, now_time timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF changes IS NULL THEN
        RETURN;
    END IF;
    PERFORM notification.take_contact_heads(changes -> 'heads', now_time);
    WITH given AS (
        SELECT g.* FROM jsonb_to_recordset(changes -> 'contacts') AS g(key text, id uuid, estate_id uuid, household_id uuid,
            customer_id uuid, state text, message_class text, channel text, subject_kind text, subject_id uuid, topic text,
            contact_time timestamptz)
    ), made AS (
        INSERT INTO notification.contacts (key, id, estate_id, household_id, customer_id, state, message_class, channel,
            subject_kind, subject_id, topic, contact_time, create_time)
        SELECT decode(key, 'base64'), id, estate_id, household_id, customer_id, state, message_class, channel, subject_kind,
               subject_id, topic, contact_time, now_time
          FROM given ORDER BY key
    )
    INSERT INTO notification.contact_counts (scope, scope_id, contact_time, contact_id, message_class, subject_kind, topic)
    SELECT s.scope, s.scope_id, g.contact_time, g.id, g.message_class, g.subject_kind, g.topic
      FROM given g CROSS JOIN LATERAL (VALUES ('household', g.household_id), ('person', g.customer_id)) AS s(scope, scope_id)
     WHERE s.scope_id IS NOT NULL;
    UPDATE notification.contacts c SET state = 'sent'
     WHERE c.state = 'reserved' AND c.id IN (SELECT jsonb_array_elements_text(changes -> 'sent')::uuid);
    WITH gone AS (
        DELETE FROM notification.contacts c
         WHERE c.state = 'reserved' AND c.id IN (SELECT jsonb_array_elements_text(changes -> 'released')::uuid)
        RETURNING c.id, c.household_id, c.customer_id, c.contact_time
    )
    DELETE FROM notification.contact_counts n
     USING gone g CROSS JOIN LATERAL (VALUES ('household', g.household_id), ('person', g.customer_id)) AS s(scope, scope_id)
     WHERE n.scope = s.scope AND n.scope_id = s.scope_id AND n.contact_time = g.contact_time AND n.contact_id = g.id;
    INSERT INTO notification.contact_entries (estate_id, id, contact_id, household_id, customer_id, kind, message_class, channel,
        subject_kind, subject_id, topic, message_id, reasons, note, actor_kind, actor_subject, contact_time, create_time)
    SELECT e.estate_id, e.id, e.contact_id, e.household_id, e.customer_id, e.kind, e.message_class, e.channel, e.subject_kind,
           e.subject_id, e.topic, e.message_id, e.reasons, e.note, e.actor_kind, e.actor_subject, e.contact_time, now_time
      FROM jsonb_to_recordset(changes -> 'entries') AS e(estate_id uuid, id uuid, contact_id uuid, household_id uuid,
           customer_id uuid, kind text, message_class text, channel text, subject_kind text, subject_id uuid, topic text,
           message_id uuid, reasons text[], note text, actor_kind text, actor_subject text, contact_time timestamptz);
END $$;
REVOKE EXECUTE ON FUNCTION notification.take_contact_heads(jsonb, timestamptz) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION notification.write_contacts(jsonb, timestamptz) FROM PUBLIC;

-- Surveys are a class of their own.
ALTER TABLE notification.template_versions DROP CONSTRAINT template_versions_class_check;
ALTER TABLE notification.template_versions ADD CONSTRAINT template_versions_class_check
    CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff', 'survey'));
ALTER TABLE notification.messages DROP CONSTRAINT messages_class_check;
ALTER TABLE notification.messages ADD CONSTRAINT messages_class_check
    CHECK (message_class IN ('service', 'care', 'marketing', 'emergency', 'staff', 'survey'));
-- The household that a message concerns, if the event or the caller named one.
ALTER TABLE notification.messages ADD COLUMN household_id uuid;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        REVOKE ALL ON notification.contacts, notification.contact_counts, notification.contact_heads,
            notification.contact_entries, notification.contact_entries_default FROM notification_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON notification.contacts TO notification_app;
        GRANT SELECT, INSERT, DELETE ON notification.contact_counts TO notification_app;
        GRANT SELECT, INSERT, UPDATE ON notification.contact_heads TO notification_app;
        GRANT SELECT, INSERT ON notification.contact_entries TO notification_app;
        GRANT EXECUTE ON FUNCTION notification.take_contact_heads(jsonb, timestamptz),
            notification.write_contacts(jsonb, timestamptz) TO notification_app;
    END IF;
END $$;
