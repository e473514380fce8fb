-- Which of these roles may make tables in which of these schemas.
SELECT nspname AS schema, rolname AS role
FROM pg_namespace, pg_roles
WHERE nspname = ANY (%(schemas)s) AND rolname = ANY (%(roles)s) AND has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'CREATE')
