-- What reads this relation through others, and what it reads itself if it is a view: views and materialized views by
-- what they select from, and parents, which read and write their partitions and children without another check.
WITH RECURSIVE reading (reader, base, parent) AS (
    SELECT r.ev_class, d.refobjid, false
    FROM pg_rewrite r
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class b ON b.oid = d.refobjid AND b.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    WHERE r.ev_type = '1'
    UNION
    SELECT inhparent, inhrelid, true FROM pg_inherits
), above (oid) AS (
    SELECT %(relation)s::oid
    UNION
    SELECT reader FROM reading JOIN above ON base = above.oid
), below (oid) AS (
    SELECT %(relation)s::oid
    UNION
    SELECT base FROM reading JOIN below ON reader = below.oid WHERE NOT parent
)
SELECT reader::bigint, base::bigint, parent FROM reading
WHERE base IN (SELECT oid FROM above) OR NOT parent AND reader IN (SELECT oid FROM below)
ORDER BY 1, 2
