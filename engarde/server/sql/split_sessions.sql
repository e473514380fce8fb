-- How many sessions a role has: in one database, or on the whole server.
SELECT count(*)::int AS count FROM pg_stat_activity
WHERE usename = %(role)s AND (%(database)s::text IS NULL OR datname = %(database)s) AND pid <> pg_backend_pid()
