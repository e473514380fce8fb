-- Who owns the database, these schemas, and what is in them; whether the connected role may grant SELECT and REFERENCES
-- on that.
SELECT 'database' AS kind, datname AS schema, NULL AS name, pg_get_userbyid(datdba) AS owner, true AS grantable,
       true AS referable
FROM pg_database WHERE datname = current_database()
UNION ALL
-- The owner of `public` may be pg_database_owner, which stands for the database's.
SELECT 'schema', nspname, NULL, pg_get_userbyid(nspowner), true, true
FROM pg_namespace WHERE nspname = ANY (%(schemas)s) AND pg_get_userbyid(nspowner) <> 'pg_database_owner'
UNION ALL
SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname, pg_get_userbyid(relowner),
       CASE relkind WHEN 'S' THEN has_sequence_privilege(pg_class.oid, 'SELECT WITH GRANT OPTION')
                    ELSE has_table_privilege(pg_class.oid, 'SELECT WITH GRANT OPTION') END,
       relkind = 'S' OR has_table_privilege(pg_class.oid, 'REFERENCES WITH GRANT OPTION')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
