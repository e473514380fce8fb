-- These relations, functions and databases, and every schema: whose each is, and what it lets others do.
SELECT 'relation' AS "group", c.oid::bigint AS oid,
       CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                    WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' ELSE 'table' END AS kind,
       nspname::text AS schema, relname::text AS name, quote_ident(nspname) || '.' || quote_ident(relname) AS identity,
       pg_get_userbyid(relowner)::text AS owner,
       c.oid < 16384 OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                                AND deptype = 'e') AS provided,
       -- Below this number are the catalogs, which the server lets nobody but superusers write to.
       c.oid < 12000 AND relkind <> 'v' OR nspname = 'pg_toast' AS guarded,
       relispartition AS partition,
       coalesce((SELECT option_value::boolean FROM pg_options_to_table(reloptions)
                 WHERE option_name = 'security_invoker'), false) AS invoker,
       relrowsecurity AS row_security, relforcerowsecurity AS forced,
       CASE WHEN relkind = 'v' THEN pg_relation_is_updatable(c.oid, false) ELSE 0 END AS updatable, NULL AS types
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE c.oid = ANY (%(relations)s::oid[])
UNION ALL
SELECT 'function', p.oid::bigint, CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, nspname, proname,
       quote_ident(nspname) || '.' || quote_ident(proname) || '(' ||
       CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')',
       pg_get_userbyid(proowner),
       p.oid < 16384 OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
                                AND deptype = 'e'),
       false, false, false, false, false, 0, oidvectortypes(proargtypes)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE p.oid = ANY (%(functions)s::oid[])
UNION ALL
SELECT 'schema', n.oid::bigint, 'schema', NULL, nspname, quote_ident(nspname), pg_get_userbyid(nspowner),
       n.oid < 16384 OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid
                                AND deptype = 'e'),
       false, false, false, false, false, 0, NULL
FROM pg_namespace n
UNION ALL
SELECT 'database', oid::bigint, 'database', NULL, datname, quote_ident(datname), pg_get_userbyid(datdba),
       false, false, false, false, false, false, 0, NULL
FROM pg_database WHERE datname = current_database() OR oid = ANY (%(databases)s::oid[])
