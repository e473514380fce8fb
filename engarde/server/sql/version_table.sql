-- Whether the schema has a version table of Alembic's. What is read of it after this waits for nobody for long, and
-- row security that would hide a row of it makes an error.
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = %(schema)s AND c.relname = 'alembic_version'
                 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')) AS there,
       (SELECT count(set_config(name, value, true))
        FROM (VALUES ('row_security', 'off'), ('lock_timeout', '2s'), ('statement_timeout', '10s'))
             AS wanted (name, value)) AS settings
