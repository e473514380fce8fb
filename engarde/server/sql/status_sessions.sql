-- engarde status: every client of the whole server but these, in whose state one can see what they wait for; nothing
-- of another's session is shown to a role that may not see it.
WITH waiting AS MATERIALIZED (
    SELECT DISTINCT ON (l.pid) l.pid, l.mode, to_jsonb(l) ->> 'waitstart' AS since,
           coalesce(quote_ident(n.nspname) || '.' || quote_ident(c.relname), l.locktype) AS thing
    FROM pg_locks l
    LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT l.granted
    ORDER BY l.pid
)
SELECT a.pid, a.usename::text AS role, a.query IS DISTINCT FROM '<insufficient privilege>' AS visible, a.state,
       greatest(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS in_transaction,
       greatest(extract(epoch FROM clock_timestamp() - a.state_change), 0)::float8 AS in_state,
       CASE WHEN %(queries)s AND a.query <> '<insufficient privilege>' THEN left(a.query, 2000) END AS query,
       w.mode AS waits_mode, w.thing AS waits_for,
       greatest(extract(epoch FROM clock_timestamp() - coalesce(w.since::timestamptz, a.query_start)), 0)::float8 AS waits,
       CASE WHEN w.pid IS NOT NULL THEN pg_blocking_pids(a.pid) END AS blockers
FROM pg_stat_activity a LEFT JOIN waiting w ON w.pid = a.pid
WHERE a.usename IS NOT NULL AND a.datname IS NOT NULL AND a.pid <> ALL (%(own)s)
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
ORDER BY a.pid
