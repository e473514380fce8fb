-- What sessions of a role do that began after a moment, by default after this session: from when on they are looked for,
-- whether there is any, and who keeps them waiting; those of an application alone from the first one on that has its name.
-- What somebody does is hidden from whom it does not concern. A prepared transaction has no process.
WITH anchor AS (
    SELECT coalesce(%(since)s::float8, extract(epoch FROM backend_start)::float8) AS since
    FROM pg_stat_activity
    WHERE pid = pg_backend_pid()
), begun AS (
    SELECT pid, wait_event_type, coalesce(application_name = %(application)s::text, false) AS named
    FROM pg_stat_activity
    WHERE usename = %(role)s AND pid <> pg_backend_pid()
      AND extract(epoch FROM backend_start)::float8 > (SELECT since FROM anchor)
), known AS (
    SELECT %(named)s OR EXISTS (SELECT FROM begun WHERE named) AS named
), own AS (
    SELECT b.pid, b.wait_event_type FROM begun b, known WHERE b.named OR NOT known.named
), way AS (
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
)
SELECT since, named, EXISTS (SELECT FROM own) AS there,
       (SELECT coalesce(json_agg(way ORDER BY seconds DESC), '[]') FROM way) AS blocking
FROM anchor, known
