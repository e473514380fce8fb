-- Ends the sessions of a role; every role may end its own.
SELECT count(pg_terminate_backend(pid))::int AS count FROM pg_stat_activity
WHERE usename = %(role)s AND (%(database)s::text IS NULL OR datname = %(database)s) AND pid <> pg_backend_pid()
