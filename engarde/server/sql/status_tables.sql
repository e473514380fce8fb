-- engarde status: every table of these schemas that has rows of its own. How many rows is what the last vacuum or
-- analyze has counted; before the first, what was written, which is counted some seconds late. NULL where nobody knows.
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.reltoastrelid::bigint AS toast,
       CASE WHEN c.relispartition
            THEN (SELECT p.relname::text FROM pg_class p
                  WHERE p.oid = pg_partition_root(c.oid) AND p.relnamespace = c.relnamespace)
       END AS partition_of,
       CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint
            WHEN s.live > 0 THEN s.live
            WHEN s.vacuumed IS NOT NULL OR s.analyzed IS NOT NULL THEN 0
       END AS rows,
       s.dead, extract(epoch FROM s.vacuumed)::float8 AS vacuumed, extract(epoch FROM s.analyzed)::float8 AS analyzed,
       greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS transaction_age,
       greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid)) AS multixact_age,
       EXISTS (SELECT FROM pg_options_to_table(c.reloptions || t.reloptions)
               WHERE option_name = 'autovacuum_enabled' AND NOT option_value::boolean) AS autovacuum_off
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
CROSS JOIN LATERAL (
    SELECT pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead,
           greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS vacuumed,
           greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS analyzed
    OFFSET 0
) s
WHERE c.relkind IN ('r', 'm') AND n.nspname = ANY (%(schemas)s)
