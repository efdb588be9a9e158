-- A rule's own little language (a path and its values, all of which must match) becomes the one of the house: `matches` of each
-- rule, deleted ones among them, is rewritten as the predicate `when`. A path without a kind below holds text: the lists are the
-- published facts as they were when this was written. An empty value meant a field that is not set.
WITH kinds (path, kind) AS (
    SELECT unnest(ARRAY[
        'address_invalid', 'contactability.do_not_disturb', 'customer_informed', 'goal_reached', 'has_overall_score',
        'has_passed', 'is_anonymous', 'is_by_due_time', 'is_corrected', 'is_off_day', 'is_two_way', 'is_under_sample',
        'reached', 'visit.has_passed', 'was_waiting', 'wave.is_anonymous']), 'boolean'
    UNION ALL
    SELECT unnest(ARRAY[
        'amount_cents', 'checked_in_count', 'create_count', 'cycle', 'done_count', 'due_count', 'excluded_count',
        'max_points', 'no_show_count', 'order.cycle', 'overall_score', 'party_size', 'percent', 'points', 'position',
        'refused_count', 'registration.party_size', 'reminder', 'sampled_count', 'scale_max', 'score', 'unchanged_count',
        'update_count', 'urge_count', 'valid_count', 'version', 'visit.max_points', 'visit.points', 'working_hours.version',
        'year']), 'integer'
    UNION ALL
    SELECT unnest(ARRAY[
        'appeal_due_time', 'case_time', 'clear_time', 'close_due_time', 'date', 'defer_until_time', 'due_time',
        'effective_time', 'end_date', 'end_time', 'enrolment.end_date', 'flag_time', 'from_date', 'give_time',
        'handover_date', 'load_time', 'order.case_time', 'previous_start_time', 'promise_time', 'receive_time',
        'registration.end_time', 'registration.start_time', 'registration_from_time', 'registration_to_time', 'start_time',
        'to_date', 'touchpoint.due_time', 'visit.start_time', 'withdraw_time', 'working_hours.load_time']), 'date'
    UNION ALL
    SELECT unnest(ARRAY[
        'changed_fields', 'days.date', 'days.name', 'fields', 'notify_roles', 'papers', 'reason_codes',
        'units.building_code', 'units.entrance_code', 'units.occupancy', 'units.premises_type', 'units.unit_code',
        'units.unit_id', 'working_hours.windows.days']), 'list'
), matches AS (
    SELECT r.id AS rule_id, m.place, 'event.' || (m.one ->> 'path') AS field, k.kind,
           coalesce(m.one -> 'values' ? '', false) AS may_be_missing,
           (SELECT jsonb_agg(CASE k.kind
                                 WHEN 'boolean' THEN jsonb_build_object('boolean', v.text = 'true')
                                 WHEN 'integer' THEN jsonb_build_object('integer', v.text)
                                 WHEN 'date' THEN jsonb_build_object('date', left(v.text, 10))
                                 ELSE jsonb_build_object('text', v.text)
                             END ORDER BY v.place)
              FROM jsonb_array_elements_text(m.one -> 'values') WITH ORDINALITY AS v(text, place)
             WHERE v.text <> '') AS given
      FROM notification.routing_rules r
     CROSS JOIN LATERAL jsonb_array_elements(r.document -> 'matches') WITH ORDINALITY AS m(one, place)
      LEFT JOIN kinds k ON k.path = m.one ->> 'path'
), alternatives AS (
    SELECT rule_id, place, may_be_missing,
           jsonb_build_object('condition', jsonb_build_object('field', field, 'operator', 'OPERATOR_MISSING')) AS missing,
           CASE WHEN given IS NOT NULL THEN jsonb_build_object('condition', jsonb_build_object(
               'field', field,
               'operator', CASE kind WHEN 'list' THEN 'OPERATOR_HAS_ANY' ELSE 'OPERATOR_EQUALS' END,
               'values', given)) END AS has_one
      FROM matches
), conditions AS (
    SELECT rule_id, place,
           CASE WHEN may_be_missing AND has_one IS NOT NULL
                THEN jsonb_build_object('anyOf', jsonb_build_object('predicates', jsonb_build_array(has_one, missing)))
                WHEN may_be_missing THEN missing
                ELSE has_one END AS predicate
      FROM alternatives
), rules AS (
    SELECT rule_id, jsonb_agg(predicate ORDER BY place) AS predicates
      FROM conditions WHERE predicate IS NOT NULL GROUP BY rule_id
)
UPDATE notification.routing_rules r
   SET document = (r.document - 'matches') || coalesce((
           SELECT jsonb_build_object('when', CASE jsonb_array_length(predicates)
                      WHEN 1 THEN predicates -> 0
                      ELSE jsonb_build_object('allOf', jsonb_build_object('predicates', predicates)) END)
             FROM rules WHERE rule_id = r.id), '{}')
 WHERE r.document ? 'matches';
