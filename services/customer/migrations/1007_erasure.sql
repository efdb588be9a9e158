-- A person who is erased (CP-50, CP-51) leaves a row without a key, without a sealed field and without an index: it counts
-- in the statistics, and nothing of it can be opened or found.
ALTER TABLE customer.customers
    ADD COLUMN erase_time timestamptz,
    ADD CONSTRAINT customers_erase_check CHECK (erase_time IS NULL
        OR num_nonnulls(data_key, name, phone, email, id_number, address, name_index, phone_index, id_number_index) = 0);
ALTER TABLE customer.audit_entries DROP CONSTRAINT audit_entries_kind_check;
ALTER TABLE customer.audit_entries ADD CONSTRAINT audit_entries_kind_check CHECK (kind IN ('reveal', 'contact', 'change', 'erase'));
