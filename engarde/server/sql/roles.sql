-- Every role: whether the connected one may change it, and whether it may act as it, as a direct member (the plugin
-- asks for no other kind) with the options that came with PostgreSQL 16.
SELECT r.rolname AS name, r.rolsuper AS superuser,
       NOT r.rolsuper AND (current_setting('server_version_num')::int < 160000
                           OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')) AS manageable,
       r.oid = me.oid OR EXISTS (
           SELECT FROM pg_auth_members m
           WHERE m.roleid = r.oid AND m.member = me.oid
             AND (to_jsonb(m) ->> 'set_option') IS DISTINCT FROM 'false'
             AND (to_jsonb(m) ->> 'inherit_option') IS DISTINCT FROM 'false') AS reachable
FROM pg_roles r
JOIN pg_roles me ON me.rolname = current_user
