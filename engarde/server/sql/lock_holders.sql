-- Roles that hold over half of the server's lock table, and those of their sessions without which they would not, the
-- fullest first. Few relations are read for it: where the table is full, a session has room for those alone that it can
-- lock without it.
SELECT process, role, held::int AS locks, held_advisory::int AS advisory, sessions::int
FROM (SELECT process, role, sum(locks) OVER whose AS held, sum(advisory) OVER whose AS held_advisory,
             count(*) OVER whose AS sessions, sum(locks) OVER (PARTITION BY role ORDER BY locks, process) AS so_far
      FROM (SELECT l.pid AS process, a.usename AS role, count(*) AS locks,
                   count(*) FILTER (WHERE l.locktype = 'advisory') AS advisory
            FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            -- These are kept elsewhere.
            WHERE NOT l.fastpath AND l.mode <> 'SIReadLock' AND l.pid <> pg_backend_pid()
            GROUP BY 1, 2) by_session
      WINDOW whose AS (PARTITION BY role)) by_role
WHERE so_far > current_setting('max_locks_per_transaction')::int
               * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) / 2
ORDER BY so_far DESC
