-- Those of these schemas in which tables have rows, or may have, and how many: tables whose files are not empty, and those
-- that somebody has locked or is about to lock, whose files would only be told once that has ended.
WITH locked AS MATERIALIZED (
    SELECT relation FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT nspname AS schema, count(*)::int AS tables
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'm')
  AND CASE WHEN c.oid IN (SELECT relation FROM locked) THEN true ELSE pg_relation_size(c.oid) > 0 END
GROUP BY nspname ORDER BY nspname
