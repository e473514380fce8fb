-- Every role: whether the connected one may change it, and whether it may act as it (a direct member, as the plugin
-- asks for, with the options that came with PostgreSQL 16; or able to make itself one).
WITH me AS (SELECT oid FROM pg_roles WHERE rolname = current_user),
     found AS (
         SELECT r.rolname, r.rolsuper,
                NOT r.rolsuper AND (current_setting('server_version_num')::int < 160000
                                    OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')) AS manageable,
                r.oid = me.oid OR EXISTS (
                    SELECT FROM pg_auth_members m
                    WHERE m.roleid = r.oid AND m.member = me.oid
                      AND (to_jsonb(m) ->> 'set_option') IS DISTINCT FROM 'false'
                      AND (to_jsonb(m) ->> 'inherit_option') IS DISTINCT FROM 'false') AS member
         FROM pg_roles r CROSS JOIN me)
SELECT rolname AS name, rolsuper AS superuser, manageable, manageable OR member AS reachable FROM found
