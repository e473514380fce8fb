-- The search_path with which this role comes into this database, and which every plain session of it has.
SELECT reset_val AS value FROM pg_settings WHERE name = 'search_path'
