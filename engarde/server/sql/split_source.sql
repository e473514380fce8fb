-- The connected database: how one like it is made, and what of a schema's and of a role's is in it. Rows are as many as
-- the server has counted while they were written: without reading them [bytes].
WITH stored AS (SELECT c.oid, reltuples FROM pg_class c
                WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s) AND relkind IN ('r', 'm'))
SELECT current_setting('server_version_num')::int / 10000 AS major, pg_encoding_to_char(encoding) AS encoding,
       datcollate::text AS collate, datctype::text AS ctype, to_jsonb(d) ->> 'datlocprovider' AS provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM stored) AS bytes,
       (SELECT coalesce(sum(greatest(pg_stat_get_live_tuples(oid), reltuples::bigint, 0)), 0)::bigint FROM stored) AS rows,
       ARRAY(SELECT m.oid::bigint FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = lomowner
             WHERE rolname = %(role)s) AS large_objects,
       (SELECT count(*)::int FROM pg_prepared_xacts WHERE owner = %(role)s) AS prepared
FROM pg_database d WHERE datname = current_database()
