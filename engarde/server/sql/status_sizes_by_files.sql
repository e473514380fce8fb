-- engarde status: the bytes of each table, index and TOAST table of these schemas, all segments and forks; NULL is for
-- whatever else is in the database. From the files: opening each relation takes three times as long, and waits for
-- whoever has locked it.
WITH stored AS MATERIALIZED (
    -- The index of a TOAST table counts as part of it.
    SELECT coalesce(i.indrelid, c.oid) AS oid, c.reltablespace, c.relfilenode AS node
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid AND c.relnamespace = 'pg_toast'::regnamespace
    WHERE relkind IN ('r', 'm', 'i', 't') AND relfilenode <> 0
      AND (relnamespace = 'pg_toast'::regnamespace
           OR relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(schemas)s)))
), places AS (
    SELECT reltablespace, regexp_replace(pg_relation_filepath(min(oid::bigint)::oid), '[^/]*$', '') AS place
    FROM pg_class WHERE NOT relisshared AND relkind IN ('r', 'm', 'i', 't', 'S') GROUP BY 1
), files AS MATERIALIZED (
    SELECT reltablespace, place || name AS path,
           -- A digit sorts before a colon, and what is no relation's begins with none.
           CASE WHEN name COLLATE "C" < ':' THEN split_part(rtrim(name, '_fsmvint'), '.', 1)::oid END AS node
    FROM places CROSS JOIN pg_ls_dir(place) AS name
)
SELECT stored.oid::bigint AS relation, sum((pg_stat_file(path, true)).size)::bigint AS bytes
FROM files LEFT JOIN stored USING (reltablespace, node)
GROUP BY 1
