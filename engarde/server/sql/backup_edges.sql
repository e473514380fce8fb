-- What crosses the border of a schema, on one side: what things in it need that is outside, extensions by their names;
-- or what outside needs things in it, is dropped with them, and is in no dump of the schema.
WITH home AS (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s),
inside (classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, c.oid FROM pg_class c, home WHERE relnamespace = home.oid
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t, home WHERE typnamespace = home.oid
    UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p, home WHERE pronamespace = home.oid
    UNION ALL SELECT 'pg_constraint'::regclass, c.oid FROM pg_constraint c, home WHERE connamespace = home.oid
    UNION ALL SELECT 'pg_operator'::regclass, o.oid FROM pg_operator o, home WHERE oprnamespace = home.oid
    UNION ALL SELECT 'pg_opclass'::regclass, o.oid FROM pg_opclass o, home WHERE opcnamespace = home.oid
    UNION ALL SELECT 'pg_opfamily'::regclass, o.oid FROM pg_opfamily o, home WHERE opfnamespace = home.oid
    UNION ALL SELECT 'pg_collation'::regclass, c.oid FROM pg_collation c, home WHERE collnamespace = home.oid
    UNION ALL SELECT 'pg_conversion'::regclass, c.oid FROM pg_conversion c, home WHERE connamespace = home.oid
    UNION ALL SELECT 'pg_ts_config'::regclass, c.oid FROM pg_ts_config c, home WHERE cfgnamespace = home.oid
    UNION ALL SELECT 'pg_ts_dict'::regclass, c.oid FROM pg_ts_dict c, home WHERE dictnamespace = home.oid
    UNION ALL SELECT 'pg_ts_parser'::regclass, c.oid FROM pg_ts_parser c, home WHERE prsnamespace = home.oid
    UNION ALL SELECT 'pg_ts_template'::regclass, c.oid FROM pg_ts_template c, home WHERE tmplnamespace = home.oid
    UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid FROM pg_statistic_ext s, home WHERE stxnamespace = home.oid
    UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class, home
              WHERE relnamespace = home.oid
    UNION ALL SELECT 'pg_attrdef'::regclass, a.oid FROM pg_attrdef a JOIN pg_class c ON c.oid = adrelid, home
              WHERE relnamespace = home.oid
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid, home
              WHERE relnamespace = home.oid
    UNION ALL SELECT 'pg_policy'::regclass, p.oid FROM pg_policy p JOIN pg_class c ON c.oid = polrelid, home
              WHERE relnamespace = home.oid
)
SELECT kind, name FROM (
SELECT DISTINCT 'needs' AS side, CASE WHEN e.extname IS NULL THEN o.type ELSE 'extension' END AS kind,
       coalesce(e.extname::text, o.identity) AS name
FROM inside
JOIN pg_depend d ON d.classid = inside.classid AND d.objid = inside.objid AND d.deptype <> 'e'
LEFT JOIN pg_depend m ON m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = CASE WHEN d.refclassid = 'pg_extension'::regclass THEN d.refobjid ELSE m.refobjid END
CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) o
-- Below are those that every database is born with.
WHERE d.refobjid >= 16384 AND (d.refclassid, d.refobjid) NOT IN (SELECT classid, objid FROM inside)
  AND NOT (d.refclassid = 'pg_namespace'::regclass AND d.refobjid = (SELECT oid FROM home))
  -- What came with an extension needs nothing of its own.
  AND NOT EXISTS (SELECT FROM pg_depend i
                  WHERE i.classid = inside.classid AND i.objid = inside.objid AND i.deptype = 'e')
  AND o.type IS NOT NULL AND d.refclassid NOT IN ('pg_am'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)
UNION ALL
SELECT DISTINCT 'needed by', o.type, o.identity
FROM inside
JOIN pg_depend d ON d.refclassid = inside.classid AND d.refobjid = inside.objid
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
WHERE (d.classid, d.objid) NOT IN (SELECT classid, objid FROM inside)
  -- Parts of what is inside, which have no schema of their own.
  AND d.deptype NOT IN ('e', 'i') AND d.classid NOT IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
) AS edges WHERE side = %(side)s
ORDER BY 1, 2
