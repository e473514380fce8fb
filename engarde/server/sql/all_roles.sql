-- Every role with its attributes; `bootstrap` is the superuser that each server is born with.
SELECT rolname AS name, oid = 10 AS bootstrap, oid < 16384 AND oid <> 10 AS predefined, rolsuper AS superuser,
       rolinherit AS inherit, rolcreaterole AS createrole, rolcreatedb AS createdb, rolcanlogin AS login,
       rolreplication AS replication, rolbypassrls AS bypassrls, rolconnlimit AS connection_limit,
       coalesce(rolvaliduntil < now(), false) AS expired, coalesce(rolvaliduntil <> 'infinity', false) AS expires,
       coalesce(rolvaliduntil BETWEEN now() AND now() + interval '1 hour', false) AS passing
FROM pg_roles
ORDER BY rolname
