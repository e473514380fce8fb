-- Until when a login that is made now may be used; and each that was made for the same and is there, whether it is over, and
-- the databases in which it has something or somebody has given it something.
SELECT until::text AS until, rolname::text AS role, coalesce(rolvaliduntil < now(), false) AS over,
       ARRAY(SELECT datname::text FROM pg_database d
             WHERE d.oid IN (SELECT CASE dbid WHEN 0 THEN objid ELSE dbid END FROM pg_shdepend
                             WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid
                               AND (dbid <> 0 OR classid = 'pg_database'::regclass))
             ORDER BY 1) AS databases
FROM (SELECT now() + interval '1 hour' AS until) AS made
LEFT JOIN pg_roles r ON starts_with(rolname, %(prefix)s)
ORDER BY 2
