-- Until when a login that is made now may be used; and each that was made for the same, is over and is there all the
-- same, with the databases in which it may still do something.
SELECT until::text AS until, rolname::text AS role,
       ARRAY(SELECT datname::text FROM pg_database WHERE EXISTS (SELECT FROM aclexplode(datacl) WHERE grantee = r.oid)
             ORDER BY 1) AS databases
FROM (SELECT now() + interval '1 hour' AS until) AS made
LEFT JOIN pg_roles r ON starts_with(rolname, %(prefix)s) AND rolvaliduntil < now()
ORDER BY 2
