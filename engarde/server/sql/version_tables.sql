-- Alembic's tables: whose each is, which of these roles may write it, and whether the connected role may read it: it is
-- the role's own or a superuser's, nobody else could put another one in its place, and to read it is to run nothing.
-- To write it may be to run something even so: a trigger takes no more than the right to make one, and a foreign key
-- leads on to the triggers of the table that has it.
WITH trusted AS (
    SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_user
    UNION ALL
    SELECT r.oid FROM pg_roles r JOIN pg_database d ON datname = current_database() JOIN pg_roles o ON o.oid = datdba
    WHERE r.rolname = 'pg_database_owner' AND (o.rolsuper OR o.rolname = current_user)
)
SELECT n.nspname::text AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS identity,
       pg_get_userbyid(c.relowner)::text AS owner,
       ARRAY(SELECT rolname::text FROM pg_roles w
             WHERE rolname = ANY (%(roles)s) AND NOT rolsuper AND has_schema_privilege(w.oid, n.oid, 'USAGE')
               AND has_table_privilege(w.oid, c.oid, 'INSERT') ORDER BY 1) AS writers,
       c.relowner IN (SELECT oid FROM trusted) AND n.nspowner IN (SELECT oid FROM trusted)
       AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
       -- What a planner would run: expressions of indexes and statistics, checks, generated columns, policies, rules.
       AND c.relkind = 'r' AND NOT c.relhassubclass AND NOT c.relrowsecurity AND NOT c.relhasrules AND c.relchecks = 0
       AND NOT EXISTS (SELECT FROM pg_index
                       WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
       AND NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = c.oid)
       AND NOT EXISTS (SELECT FROM pg_attribute
                       WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                         AND (attgenerated <> '' OR atttypid >= 16384)) AS trusted,
       ARRAY(SELECT format('DROP TRIGGER %%I ON %%I.%%I;', tgname, n.nspname, c.relname) FROM pg_trigger
             WHERE tgrelid = c.oid AND NOT tgisinternal
             UNION ALL
             SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I;', conrelid::regclass, conname) FROM pg_constraint
             WHERE confrelid = c.oid AND contype = 'f' AND conparentid = 0 ORDER BY 1) AS disarming
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_temp\_%%'
ORDER BY 1
