-- Makes an empty large object of this number, or appends a part to it.
SELECT CASE WHEN %(at)s::bigint < 0 THEN lo_create(%(number)s::bigint::oid) IS NOT NULL
            ELSE lo_put(%(number)s::bigint::oid, %(at)s::bigint, %(content)s::bytea) IS NOT NULL END AS done
