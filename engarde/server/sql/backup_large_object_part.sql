-- A part of a large object.
SELECT lo_get(%(number)s::bigint::oid, %(at)s::bigint, %(size)s::int) AS content
