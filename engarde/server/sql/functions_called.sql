-- The functions of any schema that have one of these names, whose they are, and which of these roles may not call them.
SELECT nspname AS schema, proname AS name,
       quote_ident(nspname) || '.' || quote_ident(proname) || '(' ||
       CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')' AS identity,
       pg_get_userbyid(proowner) AS owner,
       oidvectortypes(proargtypes) AS types,
       ARRAY(SELECT rolname::text FROM pg_roles r
             WHERE rolname = ANY (%(roles)s) AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS refused
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE proname = ANY (%(names)s)
ORDER BY 1, 2, 3
