-- The roles that the connected one may become.
SELECT rolname AS name FROM pg_roles
WHERE pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
