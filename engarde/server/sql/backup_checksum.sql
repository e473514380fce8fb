-- How many rows, and a sum over them in which their order has no part: of two hashes of each row's text. The server
-- keeps hash partitions by the same function across its releases, so that it gives the same in each of them. With every
-- schema named: it runs in the service's own search path, where somebody else's schema comes, too.
SELECT pg_catalog.count(*) AS rows,
       pg_catalog.concat_ws(':', coalesce(pg_catalog.sum(pg_catalog.hashtextextended(row, 0::pg_catalog.int8)), 0::pg_catalog.numeric),
                            coalesce(pg_catalog.sum(pg_catalog.hashtextextended(row, 1::pg_catalog.int8)), 0::pg_catalog.numeric)) AS checksum
FROM (SELECT ROW({columns})::pg_catalog.text COLLATE pg_catalog."C" AS row FROM {table} OFFSET 0) AS each
