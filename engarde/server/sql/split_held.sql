-- What a role has in this database beside its empty schema, and whose that schema is, where it is there.
WITH owner AS (SELECT oid FROM pg_roles WHERE rolname = %(role)s),
home AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname = %(schema)s)
SELECT (SELECT pg_get_userbyid(nspowner)::text FROM home) AS owner,
       (SELECT count(*)::int FROM pg_depend
        WHERE refclassid = 'pg_namespace'::regclass AND refobjid = (SELECT oid FROM home) AND deptype = 'n') AS inside,
       (SELECT count(*)::int FROM pg_shdepend
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND deptype = 'o'
          AND refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM owner)
          AND classid <> 'pg_default_acl'::regclass
          AND NOT (classid = 'pg_namespace'::regclass AND objid IN (SELECT oid FROM home))) AS owned,
       ARRAY(SELECT nspname::text FROM pg_namespace ORDER BY 1) AS schemas,
       ARRAY(SELECT rolname::text FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = lomowner
             WHERE m.oid = ANY (%(numbers)s::bigint[]::oid[]) AND rolname <> %(role)s) AS numbers_of
