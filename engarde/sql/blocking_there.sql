-- Whether a role has a session that began after this one.
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE usename = %(role)s
      AND backend_start > (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
) AS there
