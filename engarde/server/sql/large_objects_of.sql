-- How many large objects a role has.
SELECT count(*)::int AS count FROM pg_largeobject_metadata WHERE lomowner = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
