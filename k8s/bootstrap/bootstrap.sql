-- Roles, schemas and grants of a steward database. Run by a superuser (or a role with CREATEROLE that owns the database), once per
-- database and again whenever a service is added: every statement may be repeated.
--
-- Each service has a schema, an owner role that migrates it and an app role that the running service logs in with. No grant crosses
-- schemas, so one service cannot read or join another's tables, whatever its code says.
--
-- Passwords are not set here. Production gives them from its secrets (`ALTER ROLE work_order_app PASSWORD …`) or uses certificates;
-- the development stack and the tests trust connections from the same machine.
DO $bootstrap$
DECLARE
    service text;
    role_name text;
BEGIN
    FOREACH service IN ARRAY ARRAY['customer', 'work_order', 'notification', 'survey', 'care'] LOOP
        FOREACH role_name IN ARRAY ARRAY[service || '_owner', service || '_app'] LOOP
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('CREATE ROLE %I LOGIN', role_name);
            END IF;
        END LOOP;

        -- A statement that hangs must not hold a connection of the pool for ever. Migrations (the owner) may take their time.
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''30s''', service || '_app');
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''60s''', service || '_app');

        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, service || '_owner');
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, service || '_app');
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I',
            service || '_owner', service, service || '_app');
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT USAGE ON SEQUENCES TO %I',
            service || '_owner', service, service || '_app');
    END LOOP;
END
$bootstrap$;

-- Nobody works in `public`: every name is schema-qualified.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
