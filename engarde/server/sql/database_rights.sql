-- What each role may do in this database in effect.
SELECT rolname, "right"
FROM pg_roles CROSS JOIN unnest(ARRAY['CONNECT', 'TEMPORARY']) "right"
WHERE has_database_privilege(oid, current_database(), "right")
