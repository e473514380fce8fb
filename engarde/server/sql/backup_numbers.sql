-- The large objects of the connected role, and those of these numbers that are somebody else's.
SELECT m.oid::bigint AS number, rolname = current_user AS own, rolname::text AS owner
FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = lomowner
WHERE rolname = current_user OR m.oid = ANY (%(numbers)s::bigint[]::oid[])
ORDER BY 1
