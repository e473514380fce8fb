-- Whether a role could log in to the server, and may enter the connected database, by whatever right.
SELECT rolcanlogin AS login, has_database_privilege(oid, current_database(), 'CONNECT') AS enters
FROM pg_roles WHERE rolname = %(role)s
