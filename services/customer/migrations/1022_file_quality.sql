-- The files of estates, row by row (CP-02, CP-53): a figure counts these rows and its explanation lists them, so that the
-- two cannot disagree. `subject` is `customer` or `household`; each estate has the instant before which a row was recorded
-- and the local day on which tenures hold.
--
-- A customer counts where they are at home, once. Suspected of being recorded twice is every record but the first of a kind
-- with one phone in one estate: found by the keyed hash, without a number being opened. Who was erased is left out.
-- A household's file needs an owner and somebody who can be reached, as `Household::is_complete` has it; homes that are
-- known not to be handed over are left out.
CREATE FUNCTION customer.file_rows(subject text, estates uuid[], ends timestamptz[], days date[])
RETURNS TABLE (estate_id uuid, subject_id uuid, subject_number text, event_time timestamptz, reason text)
LANGUAGE sql STABLE AS $$
    SELECT c.home_estate_id, c.id, 'CU-' || lpad(c.number::text, greatest(6, length(c.number::text)), '0'), c.create_time,
           CASE WHEN c.erase_time IS NOT NULL THEN 'erased'
                WHEN c.phone_index IS NULL THEN 'no_phone'
                WHEN row_number() OVER (PARTITION BY c.home_estate_id, c.kind, c.phone_index ORDER BY c.number) > 1 THEN 'same_phone'
                ELSE 'distinct' END
      FROM unnest(estates, ends) AS s(estate_id, end_time)
      JOIN customer.customers c ON c.home_estate_id = s.estate_id AND c.create_time < s.end_time
     WHERE subject = 'customer'
    UNION ALL
    SELECT u.estate_id, u.household_id, u.full_code, u.create_time,
           CASE WHEN coalesce(u.delivery_date > s.day, u.occupancy = 'undelivered') THEN 'not_delivered'
                WHEN h.member_count = 0 THEN 'no_member'
                WHEN NOT h.has_owner THEN 'no_owner'
                WHEN NOT h.is_reachable THEN 'unreachable'
                ELSE 'complete' END
      FROM unnest(estates, ends, days) AS s(estate_id, end_time, day)
      JOIN customer.units u ON u.estate_id = s.estate_id AND u.create_time < s.end_time
     CROSS JOIN LATERAL (
          SELECT count(*) AS member_count,
                 coalesce(bool_or(t.role IN ('owner', 'co_owner')), false) AS has_owner,
                 coalesce(bool_or((c.phone IS NOT NULL AND c.phone_state <> 'invalid')
                               OR (c.email IS NOT NULL AND c.email_state <> 'invalid')), false) AS is_reachable
            FROM customer.tenures t
            JOIN customer.customers c ON c.id = t.customer_id AND c.erase_time IS NULL
           WHERE t.unit_id = u.id AND s.day BETWEEN t.from_date AND coalesce(t.to_date, 'infinity')) h
     WHERE subject = 'household'
$$;
