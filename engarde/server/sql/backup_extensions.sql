-- The extensions of the database: in which schema and of which version each is.
SELECT extname::text AS name, nspname::text AS schema, extversion AS version
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
ORDER BY 1
