-- A customer who was erased is forgotten: what was known of them goes, what was said to them loses its words. Proofs of
-- consent and the ledger stay; they hold ids that lead nowhere any more.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        GRANT DELETE ON notification.customers, notification.customer_estates, notification.preferences TO notification_app;
    END IF;
END $$;
