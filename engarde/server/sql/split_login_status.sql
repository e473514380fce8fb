-- Whether a role could log in to the server, and may enter the connected database, by whatever right.
SELECT rolcanlogin AS can_login, has_database_privilege(oid, current_database(), 'CONNECT') AS can_connect
FROM pg_roles WHERE rolname = %(role)s
