-- engarde status: every index of these schemas; `same_as` is one of the same table's that does all that it does.
WITH found AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, i.indisunique,
           first_value(i.indexrelid) OVER (
               PARTITION BY i.indrelid, c.relam, i.indnkeyatts, i.indkey::text, i.indclass::text, i.indcollation::text,
                            i.indoption::text,
                            -- Where in its statement an expression stood makes no difference.
                            regexp_replace(i.indexprs::text, ':location -?\d+', '', 'g'),
                            regexp_replace(i.indpred::text, ':location -?\d+', '', 'g')
               ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indisreplident DESC, i.indexrelid) AS first,
           pg_stat_get_numscans(i.indexrelid) = 0 AND NOT i.indisunique AND NOT i.indisexclusion
           AND NOT i.indisreplident AS unused,
           c.relname, n.nspname, i.indisvalid,
           -- Until it is built, an index is not valid either. Whoever builds one holds a lock on its table.
           NOT i.indisvalid AND i.indrelid NOT IN (
               SELECT l.relation FROM pg_stat_progress_create_index p JOIN pg_locks l ON l.pid = p.pid
               WHERE l.locktype = 'relation' AND p.datname = current_database()) AS broken
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'i' AND n.nspname = ANY (%(schemas)s)
)
SELECT f.indexrelid::bigint AS oid, f.indrelid::bigint AS of_table, f.nspname::text AS schema, f.relname::text AS name,
       f.unused AND f.indisvalid AS unused, f.broken AS invalid,
       CASE WHEN f.indisvalid
            THEN (SELECT k.relname::text FROM pg_class k
                  WHERE k.oid = f.first AND f.first <> f.indexrelid
                    AND (NOT f.indisunique
                         OR (SELECT count(DISTINCT coalesce(to_jsonb(u) ->> 'indnullsnotdistinct', 'false'))
                             FROM pg_index u WHERE u.indexrelid IN (f.first, f.indexrelid)) = 1))
       END AS same_as
FROM found f
