-- engarde status: how many connections each of these roles may have (-1 = no limit).
SELECT rolname::text AS name, rolconnlimit AS connection_limit FROM pg_roles WHERE rolname = ANY (%(roles)s)
