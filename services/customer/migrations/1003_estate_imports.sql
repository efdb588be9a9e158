-- Imports of whole estates (CP-53). The file is kept sealed under a key of its own until the import ends; then the key
-- and the parts are deleted, the verdicts stay.
CREATE TABLE customer.estate_imports (
    id              uuid        NOT NULL,
    estate_id       uuid        NOT NULL,
    file_name       text        NOT NULL,
    size_bytes      bigint      NOT NULL,
    received_bytes  bigint      NOT NULL DEFAULT 0,
    sha256          bytea       NOT NULL,
    data_key        bytea,
    state           text        NOT NULL DEFAULT 'receiving',
    row_count       integer     NOT NULL DEFAULT 0,
    planned_count   integer     NOT NULL DEFAULT 0,
    applied_count   integer     NOT NULL DEFAULT 0,
    create_count    integer     NOT NULL DEFAULT 0,
    update_count    integer     NOT NULL DEFAULT 0,
    unchanged_count integer     NOT NULL DEFAULT 0,
    refused_count   integer     NOT NULL DEFAULT 0,
    ignored_columns text[]      NOT NULL DEFAULT '{}',
    failure_code    text        NOT NULL DEFAULT '',
    failure_detail  text        NOT NULL DEFAULT '',
    created_by      text        NOT NULL,
    row_version     bigint      NOT NULL DEFAULT 1,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    end_time        timestamptz,
    CONSTRAINT estate_imports_pkey PRIMARY KEY (id),
    CONSTRAINT estate_imports_estate_id_fkey FOREIGN KEY (estate_id) REFERENCES customer.estates (id),
    CONSTRAINT estate_imports_state_check CHECK (state IN
        ('receiving', 'planning', 'planned', 'applying', 'applied', 'failed', 'cancelled')),
    CONSTRAINT estate_imports_received_check CHECK (received_bytes BETWEEN 0 AND size_bytes),
    CONSTRAINT estate_imports_end_check CHECK ((end_time IS NULL) = (state IN ('receiving', 'planning', 'planned', 'applying')))
);
-- One at a time: two plans against one register would contradict each other.
CREATE UNIQUE INDEX estate_imports_open_key ON customer.estate_imports (estate_id)
    WHERE state IN ('receiving', 'planning', 'planned', 'applying');
CREATE INDEX estate_imports_estate_id_idx ON customer.estate_imports (estate_id, id DESC);

CREATE TABLE customer.estate_import_parts (
    import_id    uuid    NOT NULL,
    offset_bytes bigint  NOT NULL,
    length_bytes integer NOT NULL,
    data         bytea   NOT NULL,
    CONSTRAINT estate_import_parts_pkey PRIMARY KEY (import_id, offset_bytes),
    CONSTRAINT estate_import_parts_import_id_fkey FOREIGN KEY (import_id) REFERENCES customer.estate_imports (id)
);
-- Sealed bytes do not compress; trying costs time.
ALTER TABLE customer.estate_import_parts ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE customer.estate_import_rows (
    import_id      uuid    NOT NULL,
    line           integer NOT NULL,
    action         text    NOT NULL,
    unit_full_code text    NOT NULL,
    problems       jsonb   NOT NULL,
    is_applied     boolean NOT NULL DEFAULT false,
    unit_id        uuid,
    customer_id    uuid,
    CONSTRAINT estate_import_rows_pkey PRIMARY KEY (import_id, line),
    CONSTRAINT estate_import_rows_import_id_fkey FOREIGN KEY (import_id) REFERENCES customer.estate_imports (id),
    CONSTRAINT estate_import_rows_action_check CHECK (action IN ('create', 'update', 'unchanged', 'refuse'))
);
CREATE INDEX estate_import_rows_open_idx ON customer.estate_import_rows (import_id, line)
    WHERE NOT is_applied AND action <> 'refuse';
