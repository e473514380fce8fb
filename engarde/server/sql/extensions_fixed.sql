-- The extensions that a superuser can move to another schema and the connected role cannot, and where they are: the parts
-- of a trusted one belong to the superuser that initdb made, whoever creates it.
SELECT extname AS name, nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
WHERE extrelocatable
  AND EXISTS (SELECT FROM pg_depend
              LEFT JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid
              LEFT JOIN pg_type t ON classid = 'pg_type'::regclass AND t.oid = objid
              WHERE refclassid = 'pg_extension'::regclass AND refobjid = e.oid AND deptype = 'e'
                AND NOT pg_has_role(coalesce(proowner, typowner), 'USAGE'))
