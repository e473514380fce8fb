-- How many rows, and a sum over them in which their order has no part: of two hashes of each row's text. The server
-- keeps hash partitions by the same function across its releases, so that it gives the same in each of them.
SELECT count(*) AS rows,
       concat_ws(':', coalesce(sum(hashtextextended(row, 0)), 0), coalesce(sum(hashtextextended(row, 1)), 0)) AS checksum
FROM (SELECT ROW({columns})::text COLLATE "C" AS row FROM {table} OFFSET 0) AS each
