-- Those of these things that are not here, as far as they have names that can be looked up.
SELECT kind, name FROM jsonb_to_recordset(%(needs)s::jsonb) AS needed (kind text, name text)
WHERE CASE WHEN kind IN ('table', 'view', 'materialized view', 'foreign table', 'sequence') THEN to_regclass(name) IS NULL
           WHEN kind = 'type' THEN to_regtype(name) IS NULL
           WHEN kind IN ('function', 'procedure', 'aggregate') THEN to_regprocedure(name) IS NULL
           ELSE false END
ORDER BY 1, 2
