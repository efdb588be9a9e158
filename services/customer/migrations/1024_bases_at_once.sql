-- The bases of many days from one reading of the register: a day is the day before and what changed. Asked for a quarter of an
-- estate, every unit was looked at 91 times before.
CREATE OR REPLACE FUNCTION customer.derived_bases(estate uuid, first_date date, last_date date)
RETURNS TABLE (base_date date, managed_count integer, delivered_count integer, occupied_count integer, billed_count integer)
LANGUAGE sql STABLE AS $$
    WITH days AS (
        SELECT s.day::date AS day FROM generate_series(first_date, last_date, interval '1 day') AS s(day)
    ), handed_over AS (
        SELECT CASE WHEN u.delivery_date IS NOT NULL THEN greatest(u.delivery_date, first_date)
                    WHEN u.occupancy NOT IN ('unspecified', 'undelivered') THEN first_date END AS day
          FROM customer.units u WHERE u.estate_id = estate
    ), used AS (
        -- Periods of a unit may touch or overlap; a unit is lived in once. No days asked for are an empty range.
        SELECT unnest(range_agg(daterange(p.from_date, p.to_date, '[]')
                                * daterange(first_date, greatest(last_date + 1, first_date)))) AS span
          FROM customer.units u JOIN customer.occupancy_periods p ON p.unit_id = u.id
         WHERE u.estate_id = estate AND p.occupancy IN ('occupied', 'leased')
           AND p.from_date <= last_date AND coalesce(p.to_date, 'infinity') >= first_date AND first_date <= last_date
         GROUP BY u.id
    ), changes AS (
        SELECT c.day, sum(c.delivered) AS delivered, sum(c.occupied) AS occupied
          FROM (SELECT h.day, 1 AS delivered, 0 AS occupied FROM handed_over h
                UNION ALL SELECT lower(u.span), 0, 1 FROM used u
                UNION ALL SELECT upper(u.span), 0, -1 FROM used u) c
         GROUP BY c.day
    )
    SELECT d.day, (SELECT count(*) FROM customer.units u WHERE u.estate_id = estate)::integer,
           coalesce(sum(c.delivered) OVER so_far, 0)::integer, coalesce(sum(c.occupied) OVER so_far, 0)::integer,
           coalesce(sum(c.delivered) OVER so_far, 0)::integer
      FROM days d LEFT JOIN changes c ON c.day = d.day
    WINDOW so_far AS (ORDER BY d.day)
$$;
