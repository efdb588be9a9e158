-- Who left, and why (CP-48): what churn is counted from, whatever a plan takes for churn (F-13a, F-13b). A fact is never changed but
-- by the last day of the tenure that it came with.
CREATE TABLE customer.exits (
    estate_id            uuid        NOT NULL,
    id                   uuid        NOT NULL,
    -- Null where the estate itself left.
    customer_id          uuid,
    kind                 text        NOT NULL,
    -- Last local day.
    exit_date            date        NOT NULL,
    tenure_id            uuid,
    -- Orders of the work-order service.
    cause_work_order_ids uuid[]      NOT NULL,
    source               text        NOT NULL,
    recorded_by          text        NOT NULL,
    create_time          timestamptz NOT NULL,
    CONSTRAINT exits_pkey PRIMARY KEY (estate_id, id),
    CONSTRAINT exits_estate_id_fkey FOREIGN KEY (estate_id) REFERENCES customer.estates (id),
    CONSTRAINT exits_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer.customers (id),
    CONSTRAINT exits_tenure_id_fkey FOREIGN KEY (tenure_id) REFERENCES customer.tenures (id),
    CONSTRAINT exits_kind_check CHECK (kind IN ('commercial_tenant_left', 'corporate_client_left', 'subscription_cancelled',
        'club_lapsed', 'moved_out', 'sold', 'contract_ended', 'provider_replaced')),
    CONSTRAINT exits_source_check CHECK (source IN ('tenure', 'staff', 'care')),
    CONSTRAINT exits_subject_check CHECK ((customer_id IS NULL) = (kind IN ('contract_ended', 'provider_replaced')))
);
-- The exits of a period, and the order of lists.
CREATE INDEX exits_exit_date_idx ON customer.exits (estate_id, exit_date DESC, id DESC);
-- A tenure ends once; nobody leaves twice on one day for one reason.
CREATE UNIQUE INDEX exits_tenure_id_key ON customer.exits (tenure_id) WHERE tenure_id IS NOT NULL;
CREATE UNIQUE INDEX exits_once_key ON customer.exits (estate_id, customer_id, kind, exit_date) NULLS NOT DISTINCT WHERE tenure_id IS NULL;

-- How the customers of estates stand in a period, row by row: a figure counts these rows and its explanation lists them, so that the
-- two cannot disagree. Active is who has a tenure on the first day; agents and company contacts speak for one who has. Who left by one
-- of `kinds` is lost. Each estate has its own days and zone.
CREATE FUNCTION customer.stay_rows(estates uuid[], first_days date[], last_days date[], zones text[], kinds text[])
RETURNS TABLE (estate_id uuid, subject_id uuid, subject_number text, event_time timestamptz, reason text)
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT * FROM unnest(estates, first_days, last_days, zones) AS s(estate_id, first_day, last_day, zone)
    ), active AS (
        SELECT DISTINCT s.estate_id, t.customer_id
          FROM asked s
          JOIN customer.tenures t ON t.estate_id = s.estate_id AND t.role NOT IN ('agent', 'company_contact')
           AND s.first_day BETWEEN t.from_date AND coalesce(t.to_date, 'infinity')
    ), gone AS (
        SELECT x.estate_id, x.customer_id, min(x.exit_date) AS exit_date,
               CASE WHEN bool_or(x.kind = ANY (kinds)) THEN 'lost'
                    WHEN bool_or(x.kind IN ('moved_out', 'sold')) THEN 'natural_exit'
                    ELSE 'exit_not_chosen' END AS reason
          FROM asked s
          JOIN customer.exits x ON x.estate_id = s.estate_id AND x.exit_date BETWEEN s.first_day AND s.last_day
         WHERE x.customer_id IS NOT NULL GROUP BY x.estate_id, x.customer_id
    )
    SELECT estate_id, customer_id, 'CU-' || lpad(c.number::text, greatest(6, length(c.number::text)), '0'),
           coalesce(g.exit_date, s.first_day)::timestamp AT TIME ZONE s.zone,
           CASE WHEN a.is_active IS NULL THEN 'not_active_at_start' ELSE coalesce(g.reason, 'active') END
      FROM (SELECT *, true AS is_active FROM active) a
      FULL JOIN gone g USING (estate_id, customer_id)
      JOIN asked s USING (estate_id)
      JOIN customer.customers c ON c.id = customer_id
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_app') THEN
        REVOKE ALL ON customer.exits FROM customer_app;
        GRANT SELECT, INSERT, UPDATE ON customer.exits TO customer_app;
    END IF;
END $$;
