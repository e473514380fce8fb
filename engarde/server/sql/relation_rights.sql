-- What each of these roles may do in effect to a table, view or sequence, and to the columns of a table.
SELECT rolname AS role,
       CASE relkind
           WHEN 'S' THEN ARRAY(SELECT "right" FROM unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) "right"
                               WHERE has_sequence_privilege(r.oid, c.oid, "right"))
           ELSE ARRAY(SELECT "right"
                      FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) "right"
                      WHERE has_table_privilege(r.oid, c.oid, "right")
                      UNION ALL
                      SELECT "right" || ' (' || attname || ')'
                      FROM pg_attribute CROSS JOIN unnest(ARRAY['SELECT', 'REFERENCES']) "right"
                      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                        AND has_column_privilege(r.oid, c.oid, attnum, "right"))
       END AS held
FROM pg_roles r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE rolname = ANY (%(roles)s) AND nspname = %(schema)s AND relname = %(name)s
