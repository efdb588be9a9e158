-- The care fund of an estate (CA-81): one row says what is where, and the row's lock puts postings in order. The checks are what keeps the
-- fund from being overdrawn or over-committed, whoever writes.
CREATE TABLE care.care_funds (
    estate_id       uuid        NOT NULL,
    currency        text        NOT NULL,
    available_cents bigint      NOT NULL,
    committed_cents bigint      NOT NULL,
    spent_cents     bigint      NOT NULL,
    entry_count     bigint      NOT NULL,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    CONSTRAINT care_funds_pkey PRIMARY KEY (estate_id),
    CONSTRAINT care_funds_available_check CHECK (available_cents >= 0),
    CONSTRAINT care_funds_committed_check CHECK (committed_cents >= 0),
    CONSTRAINT care_funds_spent_check CHECK (spent_cents >= 0)
);

CREATE TABLE care.fund_commitments (
    estate_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    project_code    text        NOT NULL,
    title           text        NOT NULL,
    use_code        text        NOT NULL,
    remaining_cents bigint      NOT NULL,
    spent_cents     bigint      NOT NULL,
    create_time     timestamptz NOT NULL,
    CONSTRAINT fund_commitments_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT fund_commitments_remaining_check CHECK (remaining_cents >= 0),
    CONSTRAINT fund_commitments_spent_check CHECK (spent_cents >= 0)
);
CREATE INDEX fund_commitments_id_idx ON care.fund_commitments (id);

-- The ledger. Each entry moves an amount from one place to another and says how the fund stood after it. Never changed.
CREATE TABLE care.fund_entries (
    estate_id         uuid        NOT NULL,
    number            bigint      NOT NULL,
    id                uuid        NOT NULL,
    kind              text        NOT NULL,
    from_place        text        NOT NULL,
    to_place          text        NOT NULL,
    amount_cents      bigint      NOT NULL,
    currency          text        NOT NULL,
    commitment_id     uuid,
    reversed_entry_id uuid,
    reference         text        NOT NULL,
    reason            text        NOT NULL,
    actor_subject     text        NOT NULL,
    available_cents   bigint      NOT NULL,
    committed_cents   bigint      NOT NULL,
    spent_cents       bigint      NOT NULL,
    post_time         timestamptz NOT NULL,
    CONSTRAINT fund_entries_pkey PRIMARY KEY (estate_id, number),
    CONSTRAINT fund_entries_kind_check CHECK (kind IN ('deposit', 'commitment', 'spending', 'release', 'reversal')),
    CONSTRAINT fund_entries_places_check CHECK (from_place <> to_place
        AND from_place IN ('outside', 'available', 'committed', 'spent') AND to_place IN ('outside', 'available', 'committed', 'spent')),
    CONSTRAINT fund_entries_amount_check CHECK (amount_cents > 0)
);
CREATE INDEX fund_entries_id_idx ON care.fund_entries (id);
CREATE INDEX fund_entries_commitment_id_idx ON care.fund_entries (estate_id, commitment_id, number DESC) WHERE commitment_id IS NOT NULL;
-- An entry is undone once.
CREATE UNIQUE INDEX fund_entries_reversed_entry_id_key ON care.fund_entries (estate_id, reversed_entry_id) WHERE reversed_entry_id IS NOT NULL;

-- Gifts and materials (CA-45, CA-83): what is there, under the lock of the item's row.
CREATE TABLE care.stock_items (
    estate_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    code           text        NOT NULL,
    name_zh        text        NOT NULL,
    name_en        text        NOT NULL,
    kind           text        NOT NULL,
    unit_code      text        NOT NULL,
    low_mark       bigint      NOT NULL,
    on_hand        bigint      NOT NULL DEFAULT 0,
    movement_count bigint      NOT NULL DEFAULT 0,
    row_version    bigint      NOT NULL,
    create_time    timestamptz NOT NULL,
    update_time    timestamptz NOT NULL,
    CONSTRAINT stock_items_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT stock_items_code_key UNIQUE (estate_id, code),
    CONSTRAINT stock_items_kind_check CHECK (kind IN ('gift', 'material')),
    CONSTRAINT stock_items_on_hand_check CHECK (on_hand >= 0)
);
CREATE INDEX stock_items_id_idx ON care.stock_items (id);

-- What came and went. Nothing of a movement changes but `stands`: the issue of a gift that was not given back.
CREATE TABLE care.stock_movements (
    estate_id                uuid        NOT NULL,
    item_id                  uuid        NOT NULL,
    number                   bigint      NOT NULL,
    id                       uuid        NOT NULL,
    kind                     text        NOT NULL,
    change                   bigint      NOT NULL,
    on_hand                  bigint      NOT NULL,
    household_id             uuid,
    subject_kind             text        NOT NULL,
    subject_id               uuid,
    recipient_sign_reference text        NOT NULL,
    attachment_references    text[]      NOT NULL,
    reason                   text        NOT NULL,
    returned_movement_id     uuid,
    actor_subject            text        NOT NULL,
    move_time                timestamptz NOT NULL,
    stands                   boolean     NOT NULL,
    CONSTRAINT stock_movements_pkey PRIMARY KEY (estate_id, item_id, number),
    CONSTRAINT stock_movements_kind_check CHECK (kind IN ('received', 'issued', 'returned', 'written_off', 'counted'))
);
CREATE INDEX stock_movements_id_idx ON care.stock_movements (id);
-- A household is given one thing for one occasion once.
CREATE UNIQUE INDEX stock_movements_issue_key ON care.stock_movements (estate_id, item_id, household_id, subject_kind, subject_id)
    WHERE stands;
CREATE UNIQUE INDEX stock_movements_returned_key ON care.stock_movements (estate_id, returned_movement_id)
    WHERE returned_movement_id IS NOT NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'care_app') THEN
        REVOKE ALL ON care.care_funds, care.fund_commitments, care.fund_entries, care.stock_items, care.stock_movements FROM care_app;
        GRANT SELECT, INSERT, UPDATE ON care.care_funds, care.fund_commitments, care.stock_items TO care_app;
        GRANT SELECT, INSERT ON care.fund_entries, care.stock_movements TO care_app;
        GRANT UPDATE (stands) ON care.stock_movements TO care_app;
    END IF;
END $$;
