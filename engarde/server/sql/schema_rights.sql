-- What each of these roles may do in each schema, and PUBLIC by itself.
SELECT rolname AS role, nspname AS schema, has_schema_privilege(r.oid, n.oid, 'USAGE') AS usage,
       has_schema_privilege(r.oid, n.oid, 'CREATE') AS "create"
FROM pg_roles r CROSS JOIN pg_namespace n
WHERE rolname = ANY (%(roles)s) AND nspname NOT LIKE 'pg\_%%' AND nspname <> 'information_schema'
