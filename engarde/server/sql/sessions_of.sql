-- How many sessions each of these roles has now, on the whole server; what kind each is, not every admin may see.
SELECT rolname AS role, count(*)::int AS sessions
FROM pg_stat_activity JOIN pg_roles r ON r.oid = usesysid
WHERE rolname = ANY (%(roles)s) AND backend_type IS DISTINCT FROM 'parallel worker'
GROUP BY 1 ORDER BY 1
