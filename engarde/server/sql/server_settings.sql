-- These settings as the session started with them, and where each comes from; those that this server does not know are
-- left out: reserved_connections came with PostgreSQL 16.
SELECT name, reset_val AS value, source FROM pg_settings WHERE name = ANY (%(names)s)
