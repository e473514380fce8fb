-- A schema: whose it is, and whether the connected role may make things there.
SELECT pg_get_userbyid(nspowner)::text AS owner, has_schema_privilege(oid, 'CREATE') AS open
FROM pg_namespace WHERE nspname = %(schema)s
