-- What sessions in this database start with: of a role, of the database, of a role in it, or (both NULL) of everybody.
SELECT rolname AS role, datname AS database, split_part(entry, '=', 1) AS name,
       substr(entry, strpos(entry, '=') + 1) AS value, coalesce(context LIKE 'superuser%%', true) AS superusers
FROM pg_db_role_setting s
CROSS JOIN unnest(setconfig) AS given (entry)
LEFT JOIN pg_roles r ON r.oid = setrole
LEFT JOIN pg_settings p ON p.name = split_part(entry, '=', 1)
LEFT JOIN pg_database d ON d.oid = setdatabase
WHERE setdatabase = 0 OR datname = current_database()
ORDER BY 1, 2, 3
