-- What each of these roles may do in each schema, and PUBLIC by itself.
SELECT rolname, nspname, "right"
FROM pg_roles r CROSS JOIN pg_namespace n CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) "right"
WHERE rolname = ANY (%(roles)s) AND nspname NOT LIKE 'pg\_%%' AND nspname <> 'information_schema'
  AND has_schema_privilege(r.oid, n.oid, "right")
