-- What is in a schema, in the server's words.
SELECT pg_describe_object(classid, objid, objsubid)
FROM pg_namespace n JOIN pg_depend ON refclassid = 'pg_namespace'::regclass AND refobjid = n.oid AND deptype = 'n'
WHERE n.nspname = %(schema)s
ORDER BY 1
