-- Who is connected, without this session: a role that may not see what another's session does sees only whose it is.
SELECT pid, usename AS role, datname AS database, coalesce(application_name, '') AS application, state,
       coalesce(extract(epoch FROM now() - state_change)::int, 0) AS seconds
FROM pg_stat_activity
WHERE usename IS NOT NULL AND datname IS NOT NULL AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
