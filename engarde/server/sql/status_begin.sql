-- engarde status: a look that takes little of a server's time.
SET LOCAL application_name = 'engarde status';
SET LOCAL statement_timeout = '20s';
SET LOCAL lock_timeout = '200ms';
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;
-- What is joined here comes from functions whose sizes nobody estimates: sorting it takes twice as long as hashing.
SET LOCAL enable_mergejoin = off
