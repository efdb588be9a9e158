-- Households of a wave's frame, with what became of each and why. Frozen when the wave is framed.
CREATE TABLE survey.frame_members (
    estate_id     uuid             NOT NULL,
    wave_id       uuid             NOT NULL,
    household_id  uuid             NOT NULL,
    unit_id       uuid             NOT NULL,
    customer_id   uuid,
    verdict       text             NOT NULL,
    reason_code   text             NOT NULL,
    stratum       text        NOT NULL,
    draw_position integer          NOT NULL,
    -- In millionths.
    design_weight bigint           NOT NULL,
    -- Named ahead, so that the launch makes no ids; null unless drawn.
    invitation_id uuid,
    CONSTRAINT frame_members_pkey PRIMARY KEY (estate_id, wave_id, household_id),
    CONSTRAINT frame_members_verdict_check CHECK (verdict IN ('eligible', 'excluded', 'sampled', 'skipped')),
    CONSTRAINT frame_members_draw_position_check CHECK (draw_position >= 0),
    CONSTRAINT frame_members_design_weight_check CHECK (design_weight > 0)
);
CREATE INDEX frame_members_draw_idx ON survey.frame_members (estate_id, wave_id, draw_position) WHERE draw_position > 0;

-- How full each cell of a quota is. The check is the quota: a statement that would pass it is void as a whole.
CREATE TABLE survey.quota_cells (
    estate_id uuid    NOT NULL,
    wave_id   uuid    NOT NULL,
    stratum   text    NOT NULL,
    target    integer NOT NULL,
    filled    integer NOT NULL,
    reserved  integer NOT NULL,
    CONSTRAINT quota_cells_pkey PRIMARY KEY (estate_id, wave_id, stratum),
    CONSTRAINT quota_cells_filled_check CHECK (filled >= 0 AND reserved >= 0),
    CONSTRAINT quota_cells_target_check CHECK (filled + reserved <= target)
);

-- Households that are asked. Of an anonymous wave nothing here leads to an answer (SV-40).
CREATE TABLE survey.invitations (
    estate_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    wave_id        uuid             NOT NULL,
    household_id   uuid             NOT NULL,
    unit_id        uuid             NOT NULL,
    customer_id    uuid,
    state          text             NOT NULL,
    stratum        text             NOT NULL,
    design_weight  bigint      NOT NULL,
    reminder_count integer          NOT NULL,
    holds_place    boolean          NOT NULL,
    failure_code   text             NOT NULL,
    invite_time    timestamptz      NOT NULL,
    deliver_time   timestamptz,
    open_time      timestamptz,
    start_time     timestamptz,
    respond_time   timestamptz,
    -- Keyed hash of the nonce that the household's token was made for; null unless the wave is anonymous and it was taken.
    token_mark     bytea,
    row_version    bigint           NOT NULL,
    CONSTRAINT invitations_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT invitations_household_key UNIQUE (estate_id, wave_id, household_id),
    CONSTRAINT invitations_state_check CHECK (state IN ('invited', 'delivered', 'opened', 'started', 'responded', 'participated', 'undeliverable')),
    CONSTRAINT invitations_row_version_check CHECK (row_version > 0)
);
CREATE INDEX invitations_id_idx ON survey.invitations (id);
CREATE INDEX invitations_wave_id_idx ON survey.invitations (estate_id, wave_id, id);
CREATE INDEX invitations_customer_id_idx ON survey.invitations (customer_id, id DESC) WHERE customer_id IS NOT NULL;
