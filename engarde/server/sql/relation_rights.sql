-- What each of these roles may do to a table, view or sequence: `some` is to read a column of it at least, `refers` to
-- point a foreign key at one.
SELECT rolname AS role,
       CASE relkind WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, 'SELECT')
                    ELSE has_table_privilege(r.oid, c.oid, 'SELECT') END AS reads,
       CASE relkind WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, 'SELECT')
                    ELSE has_any_column_privilege(r.oid, c.oid, 'SELECT') END AS some,
       CASE relkind WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, 'USAGE')
                    ELSE has_table_privilege(r.oid, c.oid, 'INSERT') AND has_table_privilege(r.oid, c.oid, 'UPDATE')
                         AND has_table_privilege(r.oid, c.oid, 'DELETE') END AS writes,
       CASE relkind WHEN 'S' THEN false ELSE has_any_column_privilege(r.oid, c.oid, 'REFERENCES') END AS refers
FROM pg_roles r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE rolname = ANY (%(roles)s) AND nspname = %(schema)s AND relname = %(name)s
