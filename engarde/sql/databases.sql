-- Every database and its owner.
SELECT datname AS name, quote_ident(datname) AS identity, pg_get_userbyid(datdba) AS owner FROM pg_database ORDER BY 1
