-- Those of these roles that own something in another database of the server, default privileges included.
SELECT rolname AS role, datname AS database
FROM pg_shdepend
JOIN pg_roles r ON refclassid = 'pg_authid'::regclass AND refobjid = r.oid
JOIN pg_database d ON d.oid = dbid
WHERE deptype = 'o' AND rolname = ANY (%(roles)s) AND datname <> current_database()
GROUP BY 1, 2 ORDER BY 1, 2
