-- The row level security policies of a table: a row for each role that one is for.
SELECT polname::text AS name,
       CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                   ELSE 'ALL' END AS command,
       polpermissive AS permissive, CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role)::text END AS role,
       pg_get_expr(polqual, polrelid) AS "using", pg_get_expr(polwithcheck, polrelid) AS checked
FROM pg_policy CROSS JOIN unnest(polroles) role
WHERE polrelid = %(relation)s::oid
ORDER BY 1, 4
