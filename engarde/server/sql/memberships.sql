-- Every membership, with the options that PostgreSQL 16 brought; before, a member's own INHERIT decides, and all may SET.
SELECT pg_get_userbyid(m.roleid) AS role, r.rolname AS member, pg_get_userbyid(m.grantor) AS grantor, m.admin_option AS admin,
       coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS inherit,
       coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS may_set
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
ORDER BY 1, 2, 3
