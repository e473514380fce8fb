-- Those of these roles and schemas that exist, and whose each schema is; a superuser's is nobody's in particular.
SELECT 'role' AS kind, rolname AS name, NULL AS owner FROM pg_roles WHERE rolname = ANY (%(roles)s)
UNION ALL
SELECT 'schema', nspname, CASE WHEN rolsuper THEN NULL ELSE rolname END
FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner WHERE nspname = ANY (%(schemas)s)
