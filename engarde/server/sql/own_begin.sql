-- What somebody's own login reads of its own takes little of its time, and no more of ours than this;
-- row security that would hide a row makes an error.
SET LOCAL statement_timeout = '5s';
SET LOCAL lock_timeout = '200ms';
SET LOCAL row_security = off;
SET LOCAL jit = off
