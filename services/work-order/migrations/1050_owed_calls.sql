-- Until when somebody has to phone the customer (WO-29); null while nobody has to. Repeats what the order says of itself, for the list of owed calls.
ALTER TABLE work_order.work_orders ADD COLUMN call_due_time timestamptz;

UPDATE work_order.work_orders o
   SET call_due_time = k.due_time
  FROM work_order.clocks k
 WHERE k.estate_id = o.estate_id AND k.work_order_id = o.id AND k.cycle = o.cycle AND k.name = 'callback' AND k.state IN ('running', 'paused');

CREATE INDEX work_orders_call_due_time_idx ON work_order.work_orders (estate_id, call_due_time, id) WHERE call_due_time IS NOT NULL;
