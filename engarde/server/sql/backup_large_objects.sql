-- The large objects of a role: how long [bytes], and a sum over their parts.
SELECT m.oid::bigint AS number, length, (
           SELECT md5(coalesce(string_agg(md5(lo_get(m.oid, at, 1048576)), '' ORDER BY at), ''))
           FROM generate_series(0, length - 1, 1048576) AS at) AS checksum,
       obj_description(m.oid, 'pg_largeobject') AS comment
FROM pg_largeobject_metadata m
CROSS JOIN LATERAL (SELECT lo_lseek64(lo_open(m.oid, 262144), 0, 2) AS length) AS opened
WHERE m.lomowner = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
ORDER BY m.oid
