-- How many of pg_dump's sessions are at work on the server, and not on rows that its client does not take.
SELECT count(*)::int AS at_work
FROM pg_stat_activity
WHERE usename = session_user AND application_name = 'engarde' AND pid <> pg_backend_pid()
  AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'
