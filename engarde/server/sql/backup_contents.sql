-- What stands in a schema by itself: not what came with an extension, nor what goes with another object.
SELECT o.type AS kind, o.identity AS name,
       pg_get_userbyid(coalesce(
           (SELECT relowner FROM pg_class WHERE d.classid = 'pg_class'::regclass AND oid = d.objid),
           (SELECT proowner FROM pg_proc WHERE d.classid = 'pg_proc'::regclass AND oid = d.objid),
           (SELECT typowner FROM pg_type WHERE d.classid = 'pg_type'::regclass AND oid = d.objid),
           (SELECT oprowner FROM pg_operator WHERE d.classid = 'pg_operator'::regclass AND oid = d.objid),
           (SELECT opcowner FROM pg_opclass WHERE d.classid = 'pg_opclass'::regclass AND oid = d.objid),
           (SELECT opfowner FROM pg_opfamily WHERE d.classid = 'pg_opfamily'::regclass AND oid = d.objid),
           (SELECT collowner FROM pg_collation WHERE d.classid = 'pg_collation'::regclass AND oid = d.objid),
           (SELECT conowner FROM pg_conversion WHERE d.classid = 'pg_conversion'::regclass AND oid = d.objid),
           (SELECT cfgowner FROM pg_ts_config WHERE d.classid = 'pg_ts_config'::regclass AND oid = d.objid),
           (SELECT dictowner FROM pg_ts_dict WHERE d.classid = 'pg_ts_dict'::regclass AND oid = d.objid),
           (SELECT stxowner FROM pg_statistic_ext WHERE d.classid = 'pg_statistic_ext'::regclass AND oid = d.objid),
           (SELECT extowner FROM pg_extension WHERE d.classid = 'pg_extension'::regclass AND oid = d.objid)
       ))::text AS owner
FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n'
  AND d.refobjid = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s)
  AND NOT EXISTS (SELECT FROM pg_depend i
                  WHERE i.classid = d.classid AND i.objid = d.objid AND i.deptype IN ('e', 'i')
                    -- A partitioned table needs the columns that it is partitioned by.
                    AND NOT (i.refclassid = i.classid AND i.refobjid = i.objid))
ORDER BY 1, 2
