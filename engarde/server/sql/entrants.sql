-- Every role that may log in to this database, and whether it is a superuser.
SELECT rolname, rolsuper
FROM pg_roles
WHERE rolcanlogin AND has_database_privilege(oid, current_database(), 'CONNECT')
ORDER BY 1
