-- engarde status: how many sequences of each of these schemas come to an end some day.
SELECT n.nspname::text AS schema, count(*)::int AS count
FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT seqcycle AND n.nspname = ANY (%(schemas)s)
GROUP BY 1
