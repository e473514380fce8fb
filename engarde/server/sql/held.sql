-- Those of these schemas that DROP SCHEMA would refuse to drop, and how many objects keep each.
SELECT nspname, count(*)
FROM pg_namespace
JOIN pg_depend ON refclassid = 'pg_namespace'::regclass AND refobjid = pg_namespace.oid AND deptype = 'n'
WHERE nspname = ANY (%(schemas)s)
GROUP BY nspname
ORDER BY nspname
