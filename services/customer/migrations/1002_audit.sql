-- Who read or changed personal data, when and why (CP-03, CP-54). Append-only: rows come in by `append_audit` alone, and
-- each one carries the hash of the one before it, so that a row that is altered or taken out is noticed.
CREATE TABLE customer.audit_heads (
    customer_id uuid   NOT NULL,
    sequence    bigint NOT NULL,
    hash        bytea  NOT NULL,
    CONSTRAINT audit_heads_pkey PRIMARY KEY (customer_id)
);

CREATE TABLE customer.audit_entries (
    id            uuid        NOT NULL,
    customer_id   uuid        NOT NULL,
    sequence      bigint      NOT NULL,
    kind          text        NOT NULL,
    actor         text        NOT NULL,
    occur_time    timestamptz NOT NULL,
    -- Everything that the hash covers: actor, purpose, reason, fields, keyed hashes before and after; no plain value.
    content       jsonb       NOT NULL,
    previous_hash bytea       NOT NULL,
    hash          bytea       NOT NULL,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (customer_id, sequence, occur_time),
    CONSTRAINT audit_entries_kind_check CHECK (kind IN ('reveal', 'contact', 'change'))
) PARTITION BY RANGE (occur_time);
CREATE TABLE customer.audit_entries_default PARTITION OF customer.audit_entries DEFAULT;
CREATE INDEX audit_entries_actor_idx ON customer.audit_entries (actor, occur_time);

-- Appends entries, given as a JSON array of {id, customer_id, kind, actor, occur_time, ...}. The head's row is the lock:
-- two readers of one customer get two links of one chain.
CREATE FUNCTION customer.append_audit(entries jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry jsonb;
    subject uuid;
    head record;
    digest bytea;
BEGIN
    FOR entry IN SELECT value FROM jsonb_array_elements(entries) ORDER BY value ->> 'customer_id' LOOP
        subject := entry ->> 'customer_id';
        INSERT INTO customer.audit_heads (customer_id, sequence, hash) VALUES (subject, 0, '') ON CONFLICT DO NOTHING;
        SELECT h.sequence, h.hash INTO head FROM customer.audit_heads h WHERE h.customer_id = subject FOR UPDATE;
        digest := sha256(head.hash || convert_to(entry::text, 'UTF8'));
        INSERT INTO customer.audit_entries (id, customer_id, sequence, kind, actor, occur_time, content, previous_hash, hash)
        VALUES ((entry ->> 'id')::uuid, subject, head.sequence + 1, entry ->> 'kind', entry ->> 'actor',
                (entry ->> 'occur_time')::timestamptz, entry, head.hash, digest);
        UPDATE customer.audit_heads h SET sequence = head.sequence + 1, hash = digest WHERE h.customer_id = subject;
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION customer.append_audit(jsonb) FROM PUBLIC;

-- The sequence number of the first broken link of a customer's chain; null when the chain holds.
CREATE FUNCTION customer.broken_audit_link(subject uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT min(link.sequence) FROM (
        SELECT e.sequence, e.hash = sha256(e.previous_hash || convert_to(e.content::text, 'UTF8'))
               AND e.previous_hash = lag(e.hash, 1, ''::bytea) OVER (ORDER BY e.sequence)
               AND e.sequence = row_number() OVER (ORDER BY e.sequence) AS is_whole
          FROM customer.audit_entries e WHERE e.customer_id = subject
    ) link WHERE NOT link.is_whole
$$;
