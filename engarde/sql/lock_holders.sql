-- Sessions that hold a good part of the server's lock table, the fullest first. Few relations are read for it: where the
-- table is full, a session has room for those alone that it can lock without it.
SELECT l.pid AS process, a.usename AS role, count(*)::int AS locks,
       (count(*) FILTER (WHERE l.locktype = 'advisory'))::int AS advisory
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.pid <> pg_backend_pid()
GROUP BY 1, 2
HAVING count(*) > current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int / 50
ORDER BY 3 DESC
