-- Login roles that may connect to this database as everybody may and not otherwise: how many sessions each has in it
-- now, what it owns in it, and what it has of its own on the database and on these schemas.
WITH on_database AS (
    SELECT a.grantee, a.privilege_type
    FROM pg_database CROSS JOIN aclexplode(coalesce(datacl, acldefault('d', datdba))) a
    WHERE datname = current_database()
), on_schemas AS (
    SELECT nspname, a.grantee, a.privilege_type
    FROM pg_namespace CROSS JOIN aclexplode(nspacl) a
    WHERE nspname = ANY (%(schemas)s)
    UNION
    -- Who has made tables in a schema goes on to make them, by whatever right.
    SELECT nspname, relowner, right_
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) right_
    WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), found AS (
    SELECT r.oid, r.rolname,
           (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND usesysid = r.oid) AS sessions,
           (SELECT count(*)::int FROM pg_shdepend JOIN pg_database d ON d.oid = dbid
            WHERE datname = current_database() AND refclassid = 'pg_authid'::regclass AND refobjid = r.oid
              AND deptype = 'o') AS owned
    FROM pg_roles r
    WHERE rolcanlogin AND NOT rolsuper
      AND EXISTS (SELECT FROM on_database WHERE grantee = 0 AND privilege_type = 'CONNECT')
      AND NOT EXISTS (SELECT FROM on_database
                      WHERE grantee <> 0 AND privilege_type = 'CONNECT' AND pg_has_role(r.oid, grantee, 'USAGE'))
)
SELECT rolname AS name, sessions, owned,
       ARRAY(SELECT privilege_type FROM on_database WHERE grantee = found.oid ORDER BY 1) AS on_database,
       ARRAY(SELECT nspname::text FROM on_schemas WHERE grantee = found.oid AND privilege_type = 'USAGE' ORDER BY 1) AS uses,
       ARRAY(SELECT nspname::text FROM on_schemas WHERE grantee = found.oid AND privilege_type = 'CREATE' ORDER BY 1) AS creates
FROM found
WHERE sessions > 0 OR owned > 0
ORDER BY 1
