-- Which stretches of time a statement changed for figures (kit_store::rollups): of the messages that `store/metrics.rs` counts, by the
-- time that they were made.
CREATE FUNCTION notification.note_messages() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO notification.figure_changes (estate_id, start_time, end_time)
        SELECT estate_id, min(create_time), max(create_time) FROM new_rows WHERE recipient_kind = 'customer' GROUP BY estate_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO notification.figure_changes (estate_id, start_time, end_time)
        SELECT estate_id, min(create_time), max(create_time) FROM old_rows WHERE recipient_kind = 'customer' GROUP BY estate_id;
    ELSE
        -- Most of what happens to a message changes no figure: the next channel, another attempt, texts under another key.
        INSERT INTO notification.figure_changes (estate_id, start_time, end_time)
        SELECT r.estate_id, min(r.create_time), max(r.create_time)
          FROM old_rows o
          FULL JOIN new_rows n ON n.estate_id = o.estate_id AND n.id = o.id AND n.create_time = o.create_time
         CROSS JOIN LATERAL (VALUES (o.estate_id, o.create_time), (n.estate_id, n.create_time)) AS r (estate_id, create_time)
         WHERE (o.recipient_kind, o.message_class, o.state, o.suppress_reason, o.fact_time, o.held_until_time, o.hand_over_time)
               IS DISTINCT FROM
               (n.recipient_kind, n.message_class, n.state, n.suppress_reason, n.fact_time, n.held_until_time, n.hand_over_time)
           AND 'customer' IN (o.recipient_kind, n.recipient_kind) AND r.estate_id IS NOT NULL
         GROUP BY r.estate_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER messages_inserted AFTER INSERT ON notification.messages
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION notification.note_messages();
CREATE TRIGGER messages_updated AFTER UPDATE ON notification.messages
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION notification.note_messages();
CREATE TRIGGER messages_deleted AFTER DELETE ON notification.messages
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION notification.note_messages();
