-- To whom an order is offered now: what somebody is offered counts with what they have. How near each of the roster is, as a code of the
-- policy's classes.
ALTER TABLE work_order.work_orders ADD COLUMN offered_to text;
CREATE INDEX work_orders_offered_to_idx ON work_order.work_orders (estate_id, offered_to) WHERE offered_to IS NOT NULL;
ALTER TABLE work_order.workers ADD COLUMN distance_class text NOT NULL DEFAULT '';
