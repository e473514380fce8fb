-- engarde status: what each role has had run in this database, whoever is asked: sums, and of each role the statements
-- that took longest altogether and in the mean [milliseconds], without what this tool asks, which says so in a comment.
-- That is summed up apart, since a service could write the comment, too; one line of each role's is here for these sums.
WITH counted AS (
    SELECT r.rolname::text AS role, s.queryid, s.query, s.calls, s.{total} AS total, s.{total} / greatest(s.calls, 1) AS mean,
           s.rows, s.shared_blks_hit AS hit, s.shared_blks_read AS read, s.temp_blks_written AS temp,
           s.query LIKE '%%/* engarde */' AS ours
    FROM {schema}.pg_stat_statements(true) s JOIN pg_roles r ON r.oid = s.userid
    WHERE s.dbid = %(database)s::bigint::oid AND {top}::text <> 'false'
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY role, ours ORDER BY total DESC, queryid) AS by_total,
           row_number() OVER (PARTITION BY role, ours ORDER BY mean DESC, queryid) AS by_mean,
           sum(calls) FILTER (WHERE NOT ours) OVER role AS all_calls, sum(total) FILTER (WHERE NOT ours) OVER role AS all_total,
           sum(rows) FILTER (WHERE NOT ours) OVER role AS all_rows, sum(hit) FILTER (WHERE NOT ours) OVER role AS all_hit,
           sum(read) FILTER (WHERE NOT ours) OVER role AS all_read, sum(temp) FILTER (WHERE NOT ours) OVER role AS all_temp,
           sum(calls) FILTER (WHERE ours) OVER role AS tool_calls, sum(total) FILTER (WHERE ours) OVER role AS tool_total
    FROM counted
    WINDOW role AS (PARTITION BY role)
)
SELECT role, queryid, query IS DISTINCT FROM '<insufficient privilege>' AS visible,
       CASE WHEN %(queries)s AND query <> '<insufficient privilege>' THEN left(query, 4000) END AS query,
       calls, total::float8, mean::float8, rows, hit, read, temp, ours,
       coalesce(all_calls, 0)::bigint AS all_calls, coalesce(all_total, 0)::float8 AS all_total,
       coalesce(all_rows, 0)::bigint AS all_rows, coalesce(all_hit, 0)::bigint AS all_hit,
       coalesce(all_read, 0)::bigint AS all_read, coalesce(all_temp, 0)::bigint AS all_temp,
       coalesce(tool_calls, 0)::bigint AS tool_calls, coalesce(tool_total, 0)::float8 AS tool_total
FROM ranked
WHERE CASE WHEN ours THEN by_total = 1 ELSE by_total <= %(top)s OR by_mean <= %(top)s END
ORDER BY role, by_total
