-- Homes that were not handed over by a day (F-09): those with a later day, and those without one that are not handed over.
CREATE INDEX household_facts_delivery_idx ON customer.household_facts (estate_id, delivered_date) WHERE is_main;
CREATE INDEX household_facts_undelivered_idx ON customer.household_facts (estate_id)
    WHERE is_main AND delivered_date IS NULL AND NOT is_delivered;
