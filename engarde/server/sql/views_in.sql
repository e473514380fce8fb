-- The views in these schemas, but not materialized ones, which run nothing when they are read.
SELECT nspname AS schema, relname AS name
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'v' AND nspname = ANY (%(schemas)s)
