-- Functions that do what their owner may, whoever calls them: not an extension's, nor what the system came with. A
-- trigger's too: whoever may execute it may put it on a table of his own.
SELECT n.nspname AS schema, p.proname AS name,
       quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' ||
       CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')'
       AS identity, pg_get_userbyid(p.proowner) AS owner
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND p.oid >= 16384 AND p.prorettype <> 'event_trigger'::regtype
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
ORDER BY 1, 2
