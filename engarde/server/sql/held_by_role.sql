-- What keeps a role from being dropped: how much, where, and whether it owns that or only has rights on it.
SELECT coalesce(datname, '') AS database, deptype = 'o' AS owned, count(*) AS amount
FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
GROUP BY 1, 2
ORDER BY 1, 2
