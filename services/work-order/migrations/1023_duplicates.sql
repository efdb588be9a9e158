-- Reports of one unit about the same time (WO-04).
CREATE INDEX work_orders_unit_id_idx ON work_order.work_orders (estate_id, unit_id, receive_time DESC, id DESC) WHERE unit_id IS NOT NULL;
