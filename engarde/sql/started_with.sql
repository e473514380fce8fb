-- These settings of the server, as it started with them; reserved_connections came with PostgreSQL 16.
SELECT name, reset_val AS value FROM pg_settings WHERE name = ANY (%(names)s)
