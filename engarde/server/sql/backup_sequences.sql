-- The sequences of a schema, those of identity columns too, without where each is.
SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
       concat_ws(' ', format_type(seqtypid, NULL), 'start', seqstart, 'by', seqincrement, 'from', seqmin, 'to', seqmax,
                 'cache', seqcache, CASE WHEN seqcycle THEN 'cycle' END,
                 (SELECT CASE d.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END
                         || d.refobjid::regclass || '.' || quote_ident(attname)
                  FROM pg_depend d JOIN pg_attribute ON attrelid = d.refobjid AND attnum = d.refobjsubid
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                    AND d.refclassid = 'pg_class'::regclass)) AS detail
FROM pg_class c JOIN pg_sequence ON seqrelid = c.oid
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s)
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY c.relname COLLATE "C"
