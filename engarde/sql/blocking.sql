-- Who keeps sessions of a role waiting that began after this one, those of an application alone where there are any; what
-- somebody does is hidden from whom it does not concern. A prepared transaction has no process.
WITH begun AS (
    SELECT pid, wait_event_type, application_name = %(application)s::text AS named
    FROM pg_stat_activity
    WHERE usename = %(role)s
      AND backend_start > (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
), own AS (
    SELECT pid, wait_event_type FROM begun WHERE named OR NOT EXISTS (SELECT FROM begun WHERE named)
)
SELECT w.pid AS waiting, blocker AS process, b.usename AS role, b.state, b.query AS statement,
       coalesce(extract(epoch FROM clock_timestamp() - coalesce(b.xact_start, b.backend_start))::int, 0) AS seconds,
       current_setting('is_superuser') = 'on' OR (NOT r.rolsuper AND (
           pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))) AS may_end
FROM own w
CROSS JOIN unnest(pg_blocking_pids(w.pid)) AS blocker
LEFT JOIN pg_stat_activity b ON b.pid = blocker
LEFT JOIN pg_roles r ON r.oid = b.usesysid
-- Its own sessions take turns.
WHERE w.wait_event_type = 'Lock' AND blocker <> ALL (SELECT pid FROM own)
ORDER BY seconds DESC
