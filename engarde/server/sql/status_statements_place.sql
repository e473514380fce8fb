-- engarde status: pg_stat_statements as far as this database and this role have it; `columns` are its function's.
SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.max') AS loaded,
       (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS preloaded,
       found.schema, found.readable, found.columns
FROM (VALUES (1)) one
LEFT JOIN LATERAL (
    SELECT n.nspname::text AS schema, p.proargnames AS columns,
           has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE') AS readable
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid AND p.proname = 'pg_stat_statements'
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE e.extname = 'pg_stat_statements'
) found ON true
