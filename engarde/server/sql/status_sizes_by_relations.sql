-- engarde status: the bytes of each table, index and TOAST table of these schemas, all segments and forks, without
-- those that somebody has locked; NULL is for the whole database. One half of them: opening each takes its time, and
-- another session can do the other.
WITH locked AS MATERIALIZED (
    SELECT relation FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), chosen AS MATERIALIZED (
    -- The index of a TOAST table counts as part of it.
    SELECT c.oid, coalesce(i.indrelid, c.oid) AS part_of, relkind, relpersistence
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid AND c.relnamespace = 'pg_toast'::regnamespace
    WHERE relkind IN ('r', 'm', 'i', 't') AND c.oid NOT IN (SELECT relation FROM locked)
      AND coalesce(i.indrelid, c.oid)::bigint %% 2 = %(half)s
      AND (relnamespace = 'pg_toast'::regnamespace
           OR relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(schemas)s)))
)
SELECT part_of::bigint AS relation,
       sum(CASE WHEN relkind IN ('r', 'm')
                THEN pg_relation_size(oid, 'main') + pg_relation_size(oid, 'fsm') + pg_relation_size(oid, 'vm')
                     + CASE WHEN relpersistence = 'u' THEN pg_relation_size(oid, 'init') ELSE 0 END
                -- An index and a TOAST table have none of their own, so that this is all forks.
                ELSE pg_table_size(oid)
           END)::bigint AS bytes
FROM chosen GROUP BY 1
UNION ALL
SELECT NULL, pg_database_size(current_database()) WHERE %(half)s = 0
