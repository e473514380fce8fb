-- Sessions that hold locks on what is in these schemas, which others then wait for.
SELECT a.pid, a.usename AS role, a.datname AS database, coalesce(a.application_name, '') AS application, a.state,
       coalesce(extract(epoch FROM now() - a.state_change)::int, 0) AS seconds
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid()
  AND EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE l.pid = a.pid AND l.granted AND l.mode <> 'AccessShareLock' AND n.nspname = ANY (%(schemas)s)
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY seconds DESC
