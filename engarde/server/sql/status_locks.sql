-- engarde status: what locks on relations of these schemas each role holds or waits for, but for these sessions.
SELECT a.usename::text AS role, n.nspname::text AS schema, l.mode, l.granted, count(*)::int AS count,
       max(extract(epoch FROM clock_timestamp() - a.xact_start))::float8 AS seconds
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname = ANY (%(schemas)s) AND a.usename IS NOT NULL AND l.pid <> ALL (%(own)s)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
