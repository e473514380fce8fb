-- Puts sequences where they were.
SELECT count(setval(name::regclass, last, called)) AS done
FROM jsonb_to_recordset(%(sequences)s::jsonb) AS wanted (name text, last bigint, called boolean)
