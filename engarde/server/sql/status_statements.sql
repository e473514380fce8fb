-- engarde status: what each role has had run in this database, whoever is asked: sums, and of each role the statements
-- that took longest altogether and in the mean [milliseconds], but for what this tool asks, which says so in a comment.
-- The sums are of all: a service could write that comment, too.
WITH counted AS (
    SELECT r.rolname::text AS role, s.queryid, s.query, s.calls, s.{total} AS total, s.{total} / greatest(s.calls, 1) AS mean,
           s.rows, s.shared_blks_hit AS hit, s.shared_blks_read AS read, s.temp_blks_written AS temp,
           s.query LIKE '%%/* engarde */' AS ours
    FROM {schema}.pg_stat_statements(true) s JOIN pg_roles r ON r.oid = s.userid
    WHERE s.dbid = %(database)s::bigint::oid AND {top}::text <> 'false'
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY role, ours ORDER BY total DESC, queryid) AS by_total,
           row_number() OVER (PARTITION BY role, ours ORDER BY mean DESC, queryid) AS by_mean,
           sum(calls) OVER role AS all_calls, sum(total) OVER role AS all_total, sum(rows) OVER role AS all_rows,
           sum(hit) OVER role AS all_hit, sum(read) OVER role AS all_read, sum(temp) OVER role AS all_temp
    FROM counted
    WINDOW role AS (PARTITION BY role)
)
SELECT role, queryid, query IS DISTINCT FROM '<insufficient privilege>' AS visible,
       CASE WHEN %(queries)s AND query <> '<insufficient privilege>' THEN left(query, 4000) END AS query,
       calls, total::float8, mean::float8, rows, hit, read, temp,
       all_calls::bigint, all_total::float8, all_rows::bigint, all_hit::bigint, all_read::bigint, all_temp::bigint
FROM ranked
WHERE NOT ours AND (by_total <= %(top)s OR by_mean <= %(top)s)
ORDER BY role, by_total
