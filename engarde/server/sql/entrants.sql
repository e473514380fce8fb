-- Every role that may log in, and what it may do on this database.
SELECT rolname AS name, rolsuper AS superuser, has_database_privilege(oid, current_database(), 'CONNECT') AS connect
FROM pg_roles
WHERE rolcanlogin
ORDER BY 1
