-- The connected role, and what it is.
SELECT rolname AS name, rolsuper AS superuser, rolcreaterole AS createrole,
       current_setting('server_version_num')::int / 10000 AS major
FROM pg_roles WHERE rolname = current_user
