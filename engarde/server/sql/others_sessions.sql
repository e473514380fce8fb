-- How many clients on the whole server log in as none of these roles, this session aside; what a session is for is
-- hidden from whom it does not concern.
SELECT count(*)::int AS count
FROM pg_stat_activity
WHERE datname IS NOT NULL AND usename <> ALL (%(roles)s) AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
