-- Whose a schema is.
SELECT pg_get_userbyid(nspowner)::text AS owner FROM pg_namespace WHERE nspname = %(schema)s
