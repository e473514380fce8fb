-- Makes the server print values in one way, whoever asks whatever release of it, in this transaction; a row that
-- security would hide is an error, not left out. Says where this is.
SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version,
       current_setting('server_encoding') AS encoding, current_database()::text AS database
FROM (SELECT count(set_config(name, value, true)) AS pinned
      FROM (VALUES ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),
                   ('extra_float_digits', '3'), ('bytea_output', 'hex'), ('lc_monetary', 'C'), ('xmlbinary', 'base64'),
                   ('quote_all_identifiers', 'off'), ('search_path', 'pg_catalog, pg_temp'), ('row_security', 'off'),
                   ('transaction_timeout', '0')) AS wanted (name, value)
      WHERE EXISTS (SELECT FROM pg_settings s WHERE lower(s.name) = lower(wanted.name))) AS done
WHERE pinned > 0
