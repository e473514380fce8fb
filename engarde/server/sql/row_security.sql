-- Tables of these schemas with row security, and each policy for what SELECT shows; `all_rows` where it leaves none out.
SELECT nspname AS schema, relname AS name, quote_ident(nspname) || '.' || quote_ident(relname) AS identity,
       pg_get_userbyid(relowner) AS owner, relforcerowsecurity AS forced, polname AS policy,
       coalesce(polpermissive, true) AS permissive,
       coalesce(polqual::text ~ '^\{CONST :consttype 16 .*:constisnull false .*:constvalue 1 \[ (0 )*1 (0 )*\]\}$', false) AS all_rows,
       ARRAY(SELECT CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role) END FROM unnest(polroles) role) AS roles
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
LEFT JOIN pg_policy p ON polrelid = c.oid AND polcmd IN ('r', '*')
WHERE relrowsecurity AND nspname = ANY (%(schemas)s)
ORDER BY 1, 2, 6
