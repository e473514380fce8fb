-- How many objects of this database a role owns, its default privileges aside.
SELECT count(*)::int AS count
FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
  AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
