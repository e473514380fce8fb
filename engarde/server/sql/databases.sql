-- Every database and its owner; -1 is no limit, and 0 what lets nobody in.
SELECT datname AS name, quote_ident(datname) AS identity, pg_get_userbyid(datdba) AS owner,
       CASE WHEN datallowconn THEN datconnlimit ELSE 0 END AS connection_limit
FROM pg_database ORDER BY 1
