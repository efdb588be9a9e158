-- The app role writes rows; nothing that is proof can be deleted by it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notification_app') THEN
        REVOKE ALL ON notification.customers, notification.customer_estates, notification.preferences, notification.consents,
            notification.template_versions, notification.routing_rules, notification.webhook_endpoints, notification.messages,
            notification.messages_default, notification.message_keys, notification.deliveries, notification.inbox_items,
            notification.inbox_head, notification.inbox_reads FROM notification_app;
        GRANT SELECT, INSERT, UPDATE ON notification.customers, notification.preferences, notification.consents,
            notification.template_versions, notification.routing_rules, notification.webhook_endpoints, notification.messages,
            notification.deliveries, notification.inbox_items TO notification_app;
        GRANT SELECT, INSERT ON notification.customer_estates, notification.inbox_reads TO notification_app;
        GRANT SELECT, INSERT, DELETE ON notification.message_keys TO notification_app;
        GRANT SELECT, UPDATE ON notification.inbox_head TO notification_app;
    END IF;
END $$;
