-- These settings as the session has them, and where each comes from; those that this server does not know are left out.
SELECT name, setting AS value, source FROM pg_settings WHERE name = ANY (%(names)s)
