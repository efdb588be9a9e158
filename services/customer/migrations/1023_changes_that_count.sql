-- A change of a customer touches the facts of their households only where a column that facts are derived from changed. A value that
-- is sealed again under another key is no change, so that a rotation of keys does not derive every household anew.
DROP TRIGGER customers_note_updated ON customer.customers;

CREATE OR REPLACE FUNCTION customer.note_changed_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM customer.note_households_of(ARRAY(
        SELECT c.id FROM changed c JOIN before b ON b.id = c.id
         WHERE (c.kind, c.preferred_language, c.contact_mode, c.do_not_disturb, c.phone_state, c.email_state,
                c.phone IS NULL, c.email IS NULL, c.data_key IS NULL)
            IS DISTINCT FROM
               (b.kind, b.preferred_language, b.contact_mode, b.do_not_disturb, b.phone_state, b.email_state,
                b.phone IS NULL, b.email IS NULL, b.data_key IS NULL)));
    -- Whoever was erased leaves no attributes and no dates behind (CP-51).
    DELETE FROM customer.customer_attributes a USING changed c WHERE a.customer_id = c.id AND c.data_key IS NULL;
    DELETE FROM customer.key_dates k USING changed c WHERE k.customer_id = c.id AND c.data_key IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER customers_note_updated AFTER UPDATE ON customer.customers REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer.note_changed_customers();
