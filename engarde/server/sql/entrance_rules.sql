-- The rules of pg_hba.conf, in their order; a superuser's to read.
SELECT type, database AS databases, user_name AS roles, auth_method AS method
FROM pg_hba_file_rules
WHERE error IS NULL
ORDER BY line_number
