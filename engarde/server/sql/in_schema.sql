-- What is in these schemas.
SELECT n.nspname AS schema, pg_describe_object(classid, objid, objsubid) AS "object"
FROM pg_namespace n JOIN pg_depend ON refclassid = 'pg_namespace'::regclass AND refobjid = n.oid AND deptype = 'n'
WHERE n.nspname = ANY (%(schemas)s)
ORDER BY 1, 2
