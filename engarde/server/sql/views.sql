-- Which tables each view but the system's own reads; with the rights of its owner unless it is an `invoker`'s.
SELECT n.nspname AS schema, v.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(v.relname) AS identity,
       pg_get_userbyid(v.relowner) AS owner, v.relkind = 'm' AS stored,
       coalesce((SELECT option_value::boolean FROM pg_options_to_table(v.reloptions)
                 WHERE option_name = 'security_invoker'), false) AS invoker,
       bn.nspname AS base_schema, b.relname AS base_name, quote_ident(bn.nspname) || '.' || quote_ident(b.relname) AS base
FROM pg_rewrite r
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_namespace n ON n.oid = v.relnamespace
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class b ON b.oid = d.refobjid AND b.oid <> v.oid AND b.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace bn ON bn.oid = b.relnamespace
WHERE v.oid >= 16384
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY 1, 2
