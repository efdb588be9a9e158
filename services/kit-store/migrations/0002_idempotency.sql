-- One row per mutation answered: the claim on the request id, and the answer that a repetition gets.
-- The primary key is the lock: the second writer of the same claim waits for the first, then its whole statement is void.
CREATE TABLE {schema}.idempotency_claims (
    principal    text        NOT NULL,
    method       text        NOT NULL,
    request_id   uuid        NOT NULL,
    request_hash bytea       NOT NULL,
    response     bytea       NOT NULL,
    create_time  timestamptz NOT NULL,
    CONSTRAINT idempotency_claims_pkey PRIMARY KEY (principal, method, request_id)
);
-- For the sweeper that forgets old claims.
CREATE INDEX idempotency_claims_create_time_idx ON {schema}.idempotency_claims (create_time);
