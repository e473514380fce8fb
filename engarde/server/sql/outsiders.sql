-- Login roles that are neither superusers nor among these, and what each has to do with this database and with the named
-- ones: whether it may connect, by whose right, how many sessions it has now, what it owns there and what it was granted,
-- through which other roles it has anything there; and what it has of its own on this database and on these schemas.
WITH granted_on AS MATERIALIZED (
    SELECT d.oid AS db, datname, a.grantee, a.privilege_type
    FROM pg_database d CROSS JOIN aclexplode(coalesce(datacl, acldefault('d', datdba))) a
    WHERE datname = current_database() OR datname = ANY (%(databases)s)
), known AS MATERIALIZED (
    -- What is shared is in no database; of that, the databases themselves count.
    SELECT CASE dbid WHEN 0 THEN objid ELSE dbid END AS db, refobjid AS role,
           count(*) FILTER (WHERE deptype = 'o')::int AS owned, count(*) FILTER (WHERE deptype <> 'o')::int AS granted
    FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND deptype IN ('o', 'a', 'r')
      AND (dbid <> 0 OR classid = 'pg_database'::regclass)
    GROUP BY 1, 2
), on_schemas AS MATERIALIZED (
    SELECT nspname, a.grantee, a.privilege_type
    FROM pg_namespace CROSS JOIN aclexplode(nspacl) a
    WHERE nspname = ANY (%(schemas)s)
    UNION
    -- Who has made tables in a schema goes on to make them, by whatever right.
    SELECT nspname, relowner, right_
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) right_
    WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
)
SELECT r.rolname AS name, d.datname AS database, d.datname = current_database() AS here,
       EXISTS (SELECT FROM granted_on g WHERE g.db = d.db AND grantee = 0 AND privilege_type = 'CONNECT') AS everybody,
       ARRAY(SELECT DISTINCT by.rolname::text FROM granted_on g JOIN pg_roles by ON by.oid = grantee
             WHERE g.db = d.db AND privilege_type = 'CONNECT' AND pg_has_role(r.oid, grantee, 'USAGE') ORDER BY 1) AS by,
       (SELECT count(*)::int FROM pg_stat_activity WHERE datid = d.db AND usesysid = r.oid) AS sessions,
       coalesce(k.owned, 0) AS owned, coalesce(k.granted, 0) AS granted,
       ARRAY(SELECT m.rolname::text FROM pg_roles m
             WHERE m.oid <> r.oid AND (m.oid < 16384 AND m.rolname LIKE 'pg\_%%'
                                       OR EXISTS (SELECT FROM known WHERE known.db = d.db AND known.role = m.oid))
               AND pg_has_role(r.oid, m.oid, 'MEMBER') ORDER BY 1) AS through,
       ARRAY(SELECT DISTINCT privilege_type FROM granted_on g
             WHERE g.db = d.db AND grantee = r.oid AND d.datname = current_database() ORDER BY 1) AS on_database,
       ARRAY(SELECT nspname::text FROM on_schemas WHERE grantee = r.oid AND privilege_type = 'USAGE' ORDER BY 1) AS uses,
       ARRAY(SELECT nspname::text FROM on_schemas WHERE grantee = r.oid AND privilege_type = 'CREATE' ORDER BY 1) AS creates
FROM pg_roles r
CROSS JOIN (SELECT DISTINCT db, datname FROM granted_on) d
LEFT JOIN known k ON k.db = d.db AND k.role = r.oid
WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> ALL (%(ours)s)
ORDER BY 1, 2
