-- Which sequences of the schemas in engarde.schemas have used most of their range, into engarde.sequences: those that are
-- the connected role's own or a superuser's, where nobody else could put a view in the place of one. Each is read as a
-- table is: pg_sequences would lock it as a writer does, to the end of the transaction. The locks of a group go with the
-- block that read it.
DO $read$
DECLARE
    part record;
    lasts bigint[];
    near jsonb := '[]';
    unread text[] := '{}';
    fault boolean;
BEGIN
    FOR part IN
        WITH trusted AS (
            SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_user
            UNION ALL
            SELECT r.oid FROM pg_roles r JOIN pg_database d ON datname = current_database() JOIN pg_roles o ON o.oid = datdba
            WHERE r.rolname = 'pg_database_owner' AND (o.rolsuper OR o.rolname = current_user)
        ), typed AS (
            SELECT *,
                   -- A column's own type may end before its sequence does. One query for each: a join would read all
                   -- of pg_attribute.
                   CASE WHEN seqtypid = 'int8'::regtype THEN (
                       SELECT CASE atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END
                       FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                       WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype IN ('a', 'i')
                         AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
                   ) END AS most
            FROM pg_sequence WHERE NOT seqcycle
        ), found AS (
            SELECT c.oid, n.nspname, c.relname,
                   CASE WHEN seqincrement < 0 THEN greatest(seqmin, -most - 1) ELSE least(seqmax, most) END AS ends,
                   CASE WHEN seqincrement < 0 THEN seqmax ELSE seqmin END AS begins,
                   c.relowner IN (SELECT oid FROM trusted) AND n.nspowner IN (SELECT oid FROM trusted)
                   AND has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT') AS may
            FROM typed
            JOIN pg_class c ON c.oid = seqrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN (SELECT jsonb_array_elements_text(current_setting('engarde.schemas')::jsonb))
        ), placed AS (
            SELECT *, row_number() OVER (PARTITION BY allowed ORDER BY oid) / 50 AS place
            FROM (SELECT *, may AND oid NOT IN (SELECT relation FROM pg_locks
                                                WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock') AS allowed
                  FROM found) each
        )
        SELECT allowed, array_agg(oid ORDER BY oid) AS oids, array_agg(nspname::text) AS schemas,
               array_agg(ends ORDER BY oid) AS ends, array_agg(begins ORDER BY oid) AS begins,
               string_agg(format('(SELECT last_value FROM %I.%I)', nspname, relname), ', ' ORDER BY oid) AS query
        FROM placed
        GROUP BY allowed, place
    LOOP
        fault := NOT part.allowed;
        IF part.allowed THEN
            BEGIN
                EXECUTE 'SELECT ARRAY[' || part.query || ']' INTO lasts;
                RAISE SQLSTATE 'EG000';
            EXCEPTION
                WHEN SQLSTATE 'EG000' THEN
                    near := near || (
                        SELECT coalesce(jsonb_agg(jsonb_build_object('oid', oid::bigint, 'last', last, 'ends', ends,
                                                                     'begins', begins)), '[]')
                        FROM unnest(part.oids, lasts, part.ends, part.begins) AS read (oid, last, ends, begins)
                        WHERE abs(last::float8 - begins) >= current_setting('engarde.near')::float8 * abs(ends::float8 - begins));
                -- Locked or gone by now.
                WHEN lock_not_available OR undefined_table OR insufficient_privilege THEN fault := true;
            END;
        END IF;
        IF fault THEN
            unread := unread || part.schemas;
        END IF;
    END LOOP;
    PERFORM set_config('engarde.sequences', near::text, true), set_config('engarde.unread', to_jsonb(unread)::text, true);
END
$read$
