-- Every schema but the system's and sessions' own; `provided` ones came with an extension.
SELECT nspname AS name, quote_ident(nspname) AS identity, pg_get_userbyid(nspowner) AS owner,
       EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e') AS provided
FROM pg_namespace n
WHERE nspname NOT LIKE 'pg\_%%' AND nspname <> 'information_schema'
ORDER BY nspname
