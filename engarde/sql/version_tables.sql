-- Alembic's tables: whose each is, which of these roles may write it, and the revisions in it where they can be read
-- at once. Not through row security, which would run somebody's functions as this role.
SELECT n.nspname AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS identity,
       pg_get_userbyid(c.relowner) AS owner,
       ARRAY(SELECT rolname::text FROM pg_roles w
             WHERE rolname = ANY (%(roles)s) AND NOT rolsuper AND has_schema_privilege(w.oid, n.oid, 'USAGE')
               AND has_table_privilege(w.oid, c.oid, 'INSERT') ORDER BY 1) AS writers,
       CASE WHEN has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                 AND NOT c.relrowsecurity AND c.relkind = 'r'
                 AND EXISTS (SELECT FROM pg_attribute
                             WHERE attrelid = c.oid AND attname = 'version_num' AND NOT attisdropped)
                 AND NOT EXISTS (SELECT FROM pg_locks
                                 WHERE relation = c.oid AND mode = 'AccessExclusiveLock'
                                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            THEN ARRAY(SELECT DISTINCT found[1] FROM regexp_matches(
                query_to_xml(format('SELECT version_num FROM ONLY %%I.%%I LIMIT 20', n.nspname, c.relname), true, false, '')::text,
                '<version_num>([^<]*)</version_num>', 'g') found ORDER BY 1)
       END AS revisions
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_temp\_%%'
ORDER BY 1
