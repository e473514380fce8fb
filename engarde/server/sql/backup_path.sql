-- Where names without a schema are looked for, in this transaction.
SELECT set_config('search_path', %(path)s, true) AS path
