-- What a server has for a database of its own: the database itself, where it is there already, and the role.
SELECT current_setting('server_version_num')::int / 10000 AS major, rolsuper OR rolcreatedb AS may_create,
       (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %(database)s) AS encoding,
       rolsuper OR coalesce((SELECT pg_has_role(datdba, 'MEMBER') FROM pg_database WHERE datname = %(database)s), true) AS owns,
       EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s) AS role_there
FROM pg_roles WHERE rolname = current_user
