-- Every database and its owner.
SELECT datname AS name, pg_get_userbyid(datdba) AS owner FROM pg_database ORDER BY 1
