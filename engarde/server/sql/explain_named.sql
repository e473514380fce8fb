-- What is called so and has an access list of its own: schema and database have no schema; with `every`, all names but
-- those of the system's functions.
SELECT * FROM (
    SELECT 'relation' AS "group", c.oid::bigint AS oid,
           CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                        WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' ELSE 'table' END AS kind,
           nspname::text AS schema, relname::text AS name, NULL::text AS arguments, NULL::text AS types
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'function', p.oid::bigint, CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, nspname, proname,
           pg_get_function_identity_arguments(p.oid), oidvectortypes(proargtypes)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE NOT %(every)s OR nspname NOT IN ('pg_catalog', 'information_schema')
    UNION ALL
    SELECT 'schema', oid::bigint, 'schema', NULL, nspname, NULL, NULL
    FROM pg_namespace WHERE nspname NOT LIKE 'pg\_temp\_%%' AND nspname NOT LIKE 'pg\_toast\_temp\_%%'
    UNION ALL
    SELECT 'database', oid::bigint, 'database', NULL, datname, NULL, NULL FROM pg_database
) named
WHERE %(every)s OR schema IS NOT DISTINCT FROM %(schema)s::text AND name = %(name)s::text
ORDER BY schema, name, arguments, kind
