-- The tables of a schema, and which of them are counted by themselves. Rows of a table that is partitioned by hash
-- are counted in it, not in its parts: where a hash puts each is not the same on every server.
SELECT c.relname::text AS name, c.relkind = 'p' AS parts,
       CASE WHEN EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN pg_partitioned_table p ON p.partrelid = a
                         JOIN pg_class h ON h.oid = a
                         WHERE a <> c.oid AND p.partstrat = 'h' AND h.relnamespace = c.relnamespace) THEN false
            WHEN c.relkind = 'p' THEN EXISTS (SELECT FROM pg_partitioned_table
                                              WHERE partrelid = c.oid AND partstrat = 'h')
            ELSE c.relkind = 'r' END AS counted,
       has_table_privilege(c.oid, 'SELECT') AS readable,
       c.relrowsecurity AND c.relforcerowsecurity AS forced,
       row_security_active(c.oid) AS hidden,
       concat_ws(' ', CASE c.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' END,
                 CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
                 CASE WHEN c.relispartition THEN 'partition' END,
                 'of ' || (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                           FROM pg_inherits WHERE inhrelid = c.oid),
                 CASE WHEN c.relrowsecurity THEN 'row security' END,
                 CASE WHEN c.relforcerowsecurity THEN 'forced' END,
                 'replica identity', c.relreplident) AS detail,
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C") AS columns,
       ARRAY(SELECT concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
                              CASE WHEN attcollation <> typcollation THEN 'collate ' || attcollation::regcollation END,
                              CASE WHEN attnotnull THEN 'not null' END,
                              CASE attidentity WHEN 'a' THEN 'identity' WHEN 'd' THEN 'identity by default' END,
                              CASE attgenerated WHEN 's' THEN 'generated' WHEN 'v' THEN 'generated virtual' END,
                              CASE WHEN atthasdef AND attgenerated = '' THEN 'default' END)
             FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C") AS details
FROM pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s) AND c.relkind IN ('r', 'p', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY c.relname COLLATE "C"
